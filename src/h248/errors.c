/* SPDX-License-Identifier: Apache-2.0 */
#include "h248/errors.h"

#include <stddef.h>
#include <stdint.h>

/* IANA "Megaco/H.248 Packages", error codes; sorted. Codes not here are not registered. */
static const struct {
	uint16_t code;
	const char *text;
} codes[] = {
	{ 400, "Syntax error in message" },
	{ 401, "Protocol Error" },
	{ 402, "Unauthorized" },
	{ 403, "Syntax error in transaction request" },
	{ 406, "Version Not Supported" },
	{ 410, "Incorrect identifier" },
	{ 411, "The transaction refers to an unknown ContextId" },
	{ 412, "No ContextIDs available" },
	{ 413, "Number of transactions in message exceeds maximum" },
	{ 421, "Unknown action or illegal combination of actions" },
	{ 422, "Syntax Error in Action" },
	{ 430, "Unknown TerminationID" },
	{ 431, "No TerminationID matched a wildcard" },
	{ 432, "Out of TerminationIDs or No TerminationID available" },
	{ 433, "TerminationID is already in a Context" },
	{ 434, "Max number of Terminations in a Context exceeded" },
	{ 435, "Termination ID is not in specified Context" },
	{ 440, "Unsupported or unknown Package" },
	{ 441, "Missing Remote or Local Descriptor" },
	{ 442, "Syntax Error in Command" },
	{ 443, "Unsupported or Unknown Command" },
	{ 444, "Unsupported or Unknown Descriptor" },
	{ 445, "Unsupported or Unknown Property" },
	{ 446, "Unsupported or Unknown Parameter" },
	{ 447, "Descriptor not legal in this command" },
	{ 448, "Descriptor appears twice in a command" },
	{ 449, "Unsupported or Unknown Parameter or Property Value" },
	{ 450, "No such property in this package" },
	{ 451, "No such event in this package" },
	{ 452, "No such signal in this package" },
	{ 453, "No such statistic in this package" },
	{ 454, "No such parameter value in this package" },
	{ 455, "Property illegal in this Descriptor" },
	{ 456, "Property appears twice in this Descriptor" },
	{ 457, "Missing parameter in signal or event" },
	{ 458, "Unexpected Event/Request ID" },
	{ 459, "Invalid Combination of Metering Detection Events" },
	{ 460, "Unable to set statistic on stream" },
	{ 461, "Unsupported or Unknown Profile" },
	{ 471, "Implied Add for Multiplex failure" },
	{ 472, "Required Information Missing" },
	{ 473, "Conflicting Property Values" },
	{ 474, "Invalid SDP Syntax" },
	{ 475, "Unable to pause the playout of the signal" },
	{ 476, "Unable to adjust the data delivery speed of the Signal" },
	{ 477, "Unable to adjust the playback relative scale of the signal" },
	{ 478, "Behaviour Contradicts Resource Rule" },
	{ 479, "Only one floor chair per floor is allowed in the Context" },
	{ 480, "Unsupported offset unit or Value" },
	{ 481, "Element not allowed in a Filter Group Context" },
	{ 482, "Unknown Filter Group" },
	{ 483, "Invalid action for Enrolment Session state" },
	{ 484, "Invalid action for Verification Session state" },
	{ 485, "Unsupported measurement block type" },
	{ 486, "Unsupported block parameter value" },
	{ 487, "Inconsistent block type parameters" },
	{ 488, "Incorrect stream endpoint interlinkage" },
	{ 489, "Invalid aggregation and/or de-aggregation" },
	{ 500, "Internal software Failure in MG or MGC" },
	{ 501, "Not Implemented" },
	{ 502, "Not ready." },
	{ 503, "Service Unavailable" },
	{ 504, "Command Received from unauthorized entity" },
	{ 505, "Transaction Request Received before a Service Change Reply has been received" },
	{ 506, "Number of Transaction Pendings Exceeded" },
	{ 507, "Alternate Transport Mode Preferred" },
	{ 510, "Insufficient resources" },
	{ 511, "Temporarily Busy" },
	{ 512, "Media Gateway unequipped to detect requested Event" },
	{ 513, "Media Gateway unequipped to generate requested Signals" },
	{ 514, "Media Gateway cannot send the specified announcement" },
	{ 515, "Unsupported Media Type" },
	{ 517, "Unsupported or invalid mode" },
	{ 518, "Event buffer full" },
	{ 519, "Out of space to store digit map" },
	{ 520, "Digit Map undefined in the MG" },
	{ 521, "Termination is 'ServiceChangeing'" },
	{ 522, "Functionality Requested in Topology Triple Not Supported" },
	{ 526, "Insufficient bandwidth" },
	{ 529, "Internal hardware failure in MG" },
	{ 530, "Temporary Network failure" },
	{ 531, "Permanent Network failure" },
	{ 532, "Audited Property, Statistic, Event or Signal does not exist" },
	{ 533, "Response exceeds maximum transport PDU size" },
	{ 534, "Illegal write or read only property" },
	{ 540, "Unexpected initial hook state" },
	{ 541, "Unexpected Spare Bit State" },
	{ 542, "Command is not allowed on this termination" },
	{ 543, "MGC requested event detection timestamp not supported" },
	{ 581, "Does Not Exist" },
};

static const char *const reasons[] = {
	"900 Service Restored",
	"901 Cold Boot",
	"902 Warm Boot",
	"903 MGC Directed Change",
	"904 Termination malfunctioning",
	"905 Termination taken out of service",
	"906 Loss of lower layer connectivity (e.g. downstream sync)",
	"907 Transmission Failure",
	"908 MG Impending Failure",
	"909 MGC Impending Failure",
	"910 Media Capability Failure",
	"911 Modem Capability Failure",
	"912 Mux Capability Failure",
	"913 Signal Capability Failure",
	"914 Event Capability Failure",
	"915 State Loss",
	"916 Packages Change",
	"917 Capabilities Change",
	"918 Cancel Graceful",
	"919 Warm Failover",
	"920 Cold Failover",
};

const char *h248_error_text(unsigned code)
{
	size_t low = 0, high = sizeof(codes) / sizeof(codes[0]);

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (codes[mid].code == code)
			return codes[mid].text;
		if (codes[mid].code < code)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

const char *h248_reason_text(unsigned code)
{
	if (code < 900 || code - 900 >= sizeof(reasons) / sizeof(reasons[0]))
		return NULL;
	return reasons[code - 900];
}
