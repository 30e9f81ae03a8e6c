"""Flows as ``ovs-ofctl`` takes them, made of a seed: every field to match on, and every action that can be written.

Each flow has a table and a priority of its own, so that none replaces another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

Part = Callable[[Random], str]


def mac(rng: Random) -> str:
    return rng.randbytes(6).hex(":")


def ipv4(rng: Random) -> str:
    return ".".join(map(str, rng.randbytes(4)))


def ipv6(rng: Random) -> str:
    words = [rng.choice((0, 0, 1, rng.getrandbits(16))) for _ in range(8)]
    return ":".join(f"{word:x}" for word in words)


def number(bits: int) -> Part:
    return lambda rng: hex(rng.getrandbits(bits))


def masked(bits: int, *, least: int = 1) -> Part:
    def part(rng: Random) -> str:
        every = (1 << bits) - 1
        mask = rng.choice((every, every, rng.getrandbits(bits) | least))
        return f"{rng.getrandbits(bits) & mask:#x}" + ("" if mask == every else f"/{mask:#x}")

    return part


def masked_mac(rng: Random) -> str:
    return mac(rng) + rng.choice(("", "", "/01:00:00:00:00:00", "/ff:ff:ff:00:00:00"))


def masked_ipv4(rng: Random) -> str:
    return ipv4(rng) + rng.choice(("", "/24", "/8", "/31", "/255.255.0.255"))


def masked_ipv6(rng: Random) -> str:
    return ipv6(rng) + rng.choice(("", "/64", "/127", "/ffff:0:ffff::"))


def flags(names: str) -> Part:
    def part(rng: Random) -> str:
        chosen = rng.sample(names.split(), rng.randint(1, 3))
        return "".join(rng.choice("+-") + name for name in chosen)

    return part


def pick(*texts: str) -> Part:
    return lambda rng: rng.choice(texts)


ANYWHERE: dict[str, Part] = {
    "in_port": pick("1", "2", "7", "LOCAL", "65279"),
    "pkt_mark": masked(32),
    "metadata": masked(64),
    "tun_id": masked(64),
    "tun_src": masked_ipv4,
    "tun_dst": masked_ipv4,
    "tun_ipv6_src": masked_ipv6,
    "tun_gbp_id": masked(16),
    "tun_gbp_flags": number(8),
    "tun_flags": pick("+oam", "-oam"),
    "ct_state": flags("new est rel rpl"),
    "ct_zone": number(16),
    "ct_mark": masked(32),
    "ct_label": masked(128),
    "conj_id": number(32),
    **{f"reg{each}": masked(32) for each in range(16)},
    "xreg3": number(64),
    "xxreg2": number(128),
    "dl_src": masked_mac,
    "dl_dst": masked_mac,
}
VLANS: tuple[Part, ...] = (
    lambda rng: "",
    lambda rng: f"dl_vlan={rng.randint(0, 4095)}",
    lambda rng: f"dl_vlan_pcp={rng.randint(0, 7)}",
    lambda rng: f"dl_vlan={rng.randint(0, 4095)},dl_vlan_pcp={rng.randint(0, 7)}",
    lambda rng: "vlan_tci=0x0000",
    lambda rng: "vlan_tci=0x1000/0x1000",
    lambda rng: "vlan_tci=0x1123/0x1fff",
    lambda rng: "dl_vlan=0xffff",
)
ANY_IP: dict[str, Part] = {
    "nw_tos": lambda rng: str(rng.randrange(0, 256, 4)),
    "nw_ecn": lambda rng: str(rng.randint(0, 3)),
    "nw_ttl": lambda rng: str(rng.randint(0, 255)),
    "nw_frag": pick("no", "first", "not_later"),
}
FRAGMENTS = pick("yes", "no", "first", "later", "not_later")
"""Packets with ports are first fragments, if any."""
IPV4: dict[str, Part] = {**ANY_IP, "nw_src": masked_ipv4, "nw_dst": masked_ipv4}
IPV6: dict[str, Part] = {**ANY_IP, "ipv6_src": masked_ipv6, "ipv6_dst": masked_ipv6, "ipv6_label": masked(20)}
PORTS: dict[str, Part] = {"tp_src": masked(16), "tp_dst": masked(16)}
TCP_FLAGS: dict[str, Part] = {"tcp_flags": flags("fin syn rst psh ack urg")}
ICMP: dict[str, Part] = {"icmp_type": number(8), "icmp_code": number(8)}
ARP: dict[str, Part] = {
    "arp_op": lambda rng: str(rng.randint(1, 2)),
    "arp_spa": masked_ipv4,
    "arp_tpa": masked_ipv4,
    "arp_sha": masked_mac,
    "arp_tha": masked_mac,
}
TRACKED: dict[str, Part] = {"ct_nw_src": masked_ipv4, "ct_nw_dst": masked_ipv4}

PROTOCOLS: dict[str, dict[str, Part]] = {
    "": {},
    "dl_type=0x88cc": {},
    "ip": {**IPV4, "nw_proto": pick("47", "89"), "nw_frag": FRAGMENTS},
    "tcp": {**IPV4, **PORTS, **TCP_FLAGS},
    "udp": {**IPV4, **PORTS},
    "sctp": {**IPV4, **PORTS},
    "icmp": {**IPV4, **ICMP},
    "ct_state=+trk+est,ip": TRACKED,
    "ct_state=+trk+est,ip,ct_nw_proto=6": {**TRACKED, "ct_tp_src": masked(16), "ct_tp_dst": masked(16)},
    "ct_state=+trk+est,ipv6": {"ct_ipv6_src": masked_ipv6, "ct_ipv6_dst": masked_ipv6},
    "ipv6": {**IPV6, "nw_proto": pick("47", "89"), "nw_frag": FRAGMENTS},
    "tcp6": {**IPV6, **PORTS, **TCP_FLAGS},
    "udp6": {**IPV6, **PORTS},
    "icmp6": {**IPV6, **ICMP},
    "icmp6,icmp_type=135,icmp_code=0": {"nd_target": masked_ipv6, "nd_sll": masked_mac},
    "icmp6,icmp_type=136,icmp_code=0": {"nd_target": masked_ipv6, "nd_tll": masked_mac},
    "arp": ARP,
    "rarp": ARP,
    "mpls": {
        "mpls_label": lambda rng: str(rng.getrandbits(20)),
        "mpls_tc": lambda rng: str(rng.randint(0, 7)),
        "mpls_bos": lambda rng: str(rng.randint(0, 1)),
        "mpls_ttl": lambda rng: str(rng.randint(0, 255)),
    },
    "dl_type=0x894f": {
        "nsh_flags": masked(8),
        "nsh_ttl": lambda rng: str(rng.randint(0, 63)),
        "nsh_mdtype": pick("1"),
        "nsh_np": number(8),
        "nsh_spi": number(24),
        "nsh_si": number(8),
    },
}

ACTIONS: tuple[Part, ...] = (
    lambda rng: rng.choice(("1", "output:2", "LOCAL", "IN_PORT", "NORMAL", "FLOOD", "ALL")),
    lambda rng: f"CONTROLLER:{rng.getrandbits(16)}",
    lambda rng: f"controller(max_len={rng.randint(1, 999)},reason=invalid_ttl,id={rng.randint(1, 9)})",
    lambda rng: f"controller(userdata={rng.randbytes(rng.randint(1, 20)).hex('.')},pause)",
    lambda rng: f"output:NXM_NX_REG{rng.randint(0, 15)}[{rng.randint(0, 15)}..{rng.randint(16, 31)}]",
    lambda rng: f"output(port=1,max_len={rng.randint(14, 9000)})",
    lambda rng: f"resubmit(,{rng.randint(0, 250)})",
    lambda rng: f"resubmit({rng.randint(1, 9)},{rng.randint(0, 250)})",
    lambda rng: f"resubmit({rng.randint(1, 9)},)",
    lambda rng: f"load:{rng.getrandbits(16):#x}->NXM_NX_REG{rng.randint(0, 15)}[0..15]",
    lambda rng: f"load:{rng.getrandbits(1):#x}->NXM_NX_REG10[{rng.randint(0, 31)}]",
    lambda rng: f"load:{rng.getrandbits(64):#x}->OXM_OF_METADATA[]",
    lambda rng: f"set_field:{rng.getrandbits(32):#x}->reg{rng.randint(0, 15)}",
    lambda rng: f"set_field:{rng.getrandbits(8):#x}/0xff->reg{rng.randint(0, 15)}",
    lambda rng: f"set_field:{mac(rng)}->{rng.choice(('eth_src', 'eth_dst'))}",
    lambda rng: f"set_field:{rng.getrandbits(64):#x}->tun_id",
    lambda rng: f"set_field:{ipv6(rng)}->tun_ipv6_dst",
    lambda rng: f"set_field:{rng.getrandbits(128):#x}->xxreg1",
    lambda rng: f"set_field:{rng.getrandbits(64):#x}->xreg{rng.randint(0, 7)}",
    lambda rng: "move:NXM_NX_REG0[{0}..{1}]->NXM_NX_REG1[{0}..{1}]".format(rng.randint(0, 15), rng.randint(15, 31)),
    lambda rng: "move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[]",
    lambda rng: "push:NXM_NX_REG0[0..7],pop:NXM_NX_REG1[8..15]",
    lambda rng: f"mod_dl_src:{mac(rng)}",
    lambda rng: f"mod_vlan_vid:{rng.randint(0, 4095)}",
    lambda rng: "push_vlan:0x8100,set_field:4100->vlan_vid",
    lambda rng: f"set_queue:{rng.getrandbits(16)},pop_queue",
    lambda rng: f"set_tunnel:{rng.getrandbits(32):#x}",
    lambda rng: f"set_tunnel64:{rng.getrandbits(64):#x}",
    lambda rng: f"note:{rng.randbytes(rng.randint(1, 20)).hex('.')}",
    lambda rng: "exit",
    lambda rng: f"group:{rng.randint(1, 2)}",
    lambda rng: "ct_clear",
    lambda rng: f"clone(load:{rng.getrandbits(32):#x}->NXM_NX_REG0[],output:1)",
    lambda rng: f"check_pkt_larger({rng.randint(1, 9000)})->NXM_NX_REG9[{rng.randint(0, 31)}]",
    lambda rng: f"multipath(symmetric_l4,{rng.getrandbits(16)},modulo_n,{rng.randint(1, 9)},0,NXM_NX_REG0[0..15])",
    lambda rng: f"multipath(eth_src,{rng.getrandbits(16)},hrw,{rng.randint(1, 9)},{rng.getrandbits(32)},NXM_NX_REG0[])",
    lambda rng: f"bundle(nw_src,{rng.getrandbits(16)},active_backup,ofport,members:1,2,{rng.randint(3, 99)})",
    lambda rng: "bundle_load(symmetric_l3l4,50,hrw,ofport,NXM_NX_REG0[],members:4,LOCAL)",
    lambda rng: (
        f"sample(probability={rng.randint(1, 65535)},collector_set_id={rng.getrandbits(32)},"
        f"obs_domain_id={rng.getrandbits(32)},obs_point_id={rng.getrandbits(32)}"
        + rng.choice(("", ",sampling_port=1", ",sampling_port=1,egress", ",ingress"))
        + ")"
    ),
    lambda rng: (
        f"learn(table={rng.randint(1, 250)},idle_timeout={rng.randint(0, 99)},hard_timeout={rng.randint(0, 99)},"
        f"priority={rng.randint(0, 65535)},cookie={rng.getrandbits(64):#x}"
        + rng.choice((",send_flow_rem", ",delete_learned", ",limit=5", ",limit=3,result_dst=NXM_NX_REG1[5]", ""))
        + ",NXM_OF_VLAN_TCI[0..11],NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],eth_type=0x800,reg3=7,NXM_NX_REG1[0..3]=2,"
        "load:NXM_NX_REG2[0..7]->NXM_NX_REG5[8..15],load:0x1234->NXM_NX_REG6[0..15],output:NXM_OF_IN_PORT[])"
    ),
    lambda rng: f"learn(table=7,fin_idle_timeout={rng.randint(1, 9)},reg1=0x{rng.getrandbits(32):x})",
)
IP_ACTIONS: tuple[Part, ...] = (
    lambda rng: "dec_ttl",
    lambda rng: f"dec_ttl({rng.randint(0, 9)},{rng.randint(0, 9)})",
    lambda rng: f"mod_nw_tos:{rng.randrange(0, 256, 4)}",
    lambda rng: f"mod_nw_ecn:{rng.randint(0, 3)}",
    lambda rng: f"set_field:{rng.randint(1, 255)}->nw_ttl",
    lambda rng: "ct(commit,table=3,nat)",
    lambda rng: f"ct(table={rng.randint(0, 250)},zone={rng.randint(0, 65535)})",
    lambda rng: "ct(commit,zone=NXM_NX_REG4[0..15],exec(load:0x1->NXM_NX_CT_MARK[]))",
    lambda rng: f"ct(commit,force,exec(set_field:{rng.getrandbits(32):#x}->ct_mark,set_field:0x5/0xf->ct_label))",
)
PROTOCOL_ACTIONS: dict[str, tuple[Part, ...]] = {
    "ip": (
        lambda rng: f"mod_nw_src:{ipv4(rng)}",
        lambda rng: f"set_field:{ipv4(rng)}->ip_dst",
        lambda rng: f"ct(commit,nat(src=10.{rng.randint(0, 99)}.0.1-10.99.0.240:1000-2000,random))",
        lambda rng: f"ct(commit,zone=5,nat(dst=10.0.0.{rng.randint(1, 99)}))",
        lambda rng: "ct(commit,nat(src),exec(load:0x7->NXM_NX_CT_MARK[0..2]))",
        lambda rng: "push_mpls:0x8847,set_mpls_label(7),set_mpls_tc(3),set_mpls_ttl(9),dec_mpls_ttl,pop_mpls:0x0800",
    ),
    "tcp": (
        lambda rng: f"mod_tp_src:{rng.getrandbits(16)}",
        lambda rng: f"set_field:{rng.getrandbits(16)}->tcp_dst",
        lambda rng: f"fin_timeout(idle_timeout={rng.randint(1, 9)},hard_timeout={rng.randint(1, 9)})",
        lambda rng: "ct(commit,alg=ftp)",
        lambda rng: "ct(commit,nat(src=10.0.0.240:80,persistent,hash))",
    ),
    "udp": (lambda rng: f"mod_tp_dst:{rng.getrandbits(16)}", lambda rng: "ct(commit,alg=tftp)"),
    "ipv6": (
        lambda rng: f"set_field:{ipv6(rng)}->ipv6_src",
        lambda rng: f"set_field:{rng.getrandbits(20):#x}->ipv6_label",
        lambda rng: f"ct(commit,nat(src=fe80::{rng.randint(1, 9)}-fe80::99))",
        lambda rng: f"ct(commit,nat(dst=[fe80::{rng.randint(1, 9)}]:80-90))",
    ),
    "arp": (
        lambda rng: "load:0x2->NXM_OF_ARP_OP[]",
        lambda rng: f"set_field:{mac(rng)}->arp_sha",
        lambda rng: "move:NXM_OF_ARP_SPA[]->NXM_OF_ARP_TPA[]",
    ),
    "icmp6": (lambda rng: f"set_field:{ipv6(rng)}->ipv6_src",),
    "mpls": (lambda rng: "dec_mpls_ttl", lambda rng: f"set_mpls_label({rng.getrandbits(20)})"),
    "dl_type=0x894f": (lambda rng: "dec_nsh_ttl", lambda rng: "decap()"),
    "": (
        lambda rng: f"conjunction({rng.getrandbits(32)},{rng.randint(1, 2)}/{rng.randint(2, 9)})",
        lambda rng: "encap(nsh(md_type=1))",
        lambda rng: "encap(nsh(md_type=2,tlv(0x1000,10,0x12345678),tlv(0x2000,20,0xfedcba9876543210)))",
        lambda rng: "encap(ethernet)",
        lambda rng: "drop",
    ),
}
"""Actions for packets of one protocol, each of which its match makes sure of."""

ALONE = ("conjunction", "drop", "encap", "decap")
INSTRUCTIONS: tuple[Part, ...] = (
    lambda rng: f"write_metadata:{rng.getrandbits(64):#x}",
    lambda rng: f"write_metadata:{rng.getrandbits(16):#x}/0xffff",
    lambda rng: "clear_actions",
    lambda rng: "write_actions(set_field:1->reg0,output:2)",
)


def random_flows(seed: int, count: int, *, instructions: bool) -> Iterator[str]:
    """So many flows; those with instructions need OpenFlow 1.1 or later."""
    rng = Random(seed)
    for each in range(count):
        yield _flow(rng, each, instructions=instructions)


def _flow(rng: Random, place: int, *, instructions: bool) -> str:
    protocol = rng.choice(list(PROTOCOLS))
    parts = [f"table={place % 200}", f"priority={1 + place % 65535}"]
    parts += [f"cookie={rng.getrandbits(64):#x}"] * rng.randint(0, 1)
    parts += rng.sample([f"idle_timeout={rng.randint(1000, 65535)}", "send_flow_rem"], rng.randint(0, 2))
    parts += [
        f"{name}={ANYWHERE[name](rng)}"
        for name in _without_overlap(rng.sample(sorted(ANYWHERE), rng.randint(0, 4)), protocol)
    ]
    parts += filter(None, [protocol, rng.choice(VLANS)(rng) if protocol != "mpls" else ""])
    fields = PROTOCOLS[protocol]
    parts += [f"{name}={fields[name](rng)}" for name in rng.sample(sorted(fields), rng.randint(0, min(4, len(fields))))]
    return ",".join(parts) + f" actions={_actions(rng, protocol, place, instructions=instructions)}"


def _without_overlap(names: list[str], protocol: str) -> list[str]:
    """A register may be named once: ``xreg3`` is reg6 and reg7, ``xxreg2`` is reg8 to reg11."""
    inside = {"xreg3": ("reg6", "reg7"), "xxreg2": ("reg8", "reg9", "reg10", "reg11")}
    hidden = {part for name in names for part in inside.get(name, ())}
    if "ct_state" in protocol:
        hidden.add("ct_state")
    return [name for name in names if name not in hidden]


def _actions(rng: Random, protocol: str, place: int, *, instructions: bool) -> str:
    own = next((PROTOCOL_ACTIONS[each] for each in (protocol, *_parents(protocol)) if each in PROTOCOL_ACTIONS), ())
    is_ip = {"ip", "ipv6"} & {protocol, *_parents(protocol)}
    pool = [*ACTIONS, *own * 3, *(IP_ACTIONS if is_ip else ())]
    chosen = [part(rng) for part in rng.sample(pool, rng.randint(1, 4))]
    alone = [each for each in chosen if each.startswith(ALONE)]
    if alone:
        return alone[0]
    if "mpls" in protocol or any("push_mpls" in each for each in chosen):
        chosen = chosen[:1]
    if instructions and rng.random() < 0.3:
        chosen += [rng.choice(INSTRUCTIONS)(rng), *([f"goto_table:{place % 200 + 1}"] if rng.random() < 0.5 else [])]
    return ",".join(chosen)


def _parents(protocol: str) -> tuple[str, ...]:
    plain = protocol.split(",")[-1] if protocol.startswith("ct_state") else protocol.split(",")[0]
    parents = {"tcp": "ip", "udp": "ip", "sctp": "ip", "icmp": "ip", "tcp6": "ipv6", "udp6": "ipv6", "icmp6": "ipv6"}
    return (plain, *((parents[plain],) if plain in parents else ()))
