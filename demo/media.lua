-- SPDX-License-Identifier: Apache-2.0
-- Wireshark knows MSRP and BFCP over TCP, not inside TLS: GATEHOUSE_MSRP and GATEHOUSE_BFCP name the ports of theirs.
-- MSRP that is cut by TLS records stays apart: a record that begins a message is a message, another is data.
local function over_tls(name, ports)
	for port in string.gmatch(ports or "", "%d+") do
		DissectorTable.get("tls.port"):add(tonumber(port), Dissector.get(name))
	end
end
over_tls("msrp", os.getenv("GATEHOUSE_MSRP"))
over_tls("bfcp", os.getenv("GATEHOUSE_BFCP"))
