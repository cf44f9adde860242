/* The words of what stands behind a port. */
#include "model/identified.h"

const char *const identify_outcome_words[IDENTIFY_MAX + 1] = {
	"unasked", "named",	"unnamed",  "silent",  "closes",
	"refused", "timed-out", "withheld", "stopped", 0};

const char *const finding_words[FINDING_MAX + 1] = {"no-password",
						    "clear-text",
						    "certificate-expired",
						    "certificate-expiring",
						    "certificate-self-signed",
						    0};
