"""An asyncio OpenFlow client: connect to ``BRIDGE.mgmt`` and ask the switch."""

from ovsnet.openflow.session import Session, connect

__all__ = ["Session", "connect"]
