"""Each file is one workload: see ``ovsnet.bench.workload``."""
