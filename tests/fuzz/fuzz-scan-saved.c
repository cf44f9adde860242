/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a saved scan: to go on with, and to be held against itself and against another. */
#include <assert.h>

#include "scan/changes.h"
#include "scan/saved.h"

static const char other[] =
	"{\"results\":[{\"address\":\"127.0.0.1\",\"ports\":[{\"proto\":\"tcp\",\"port\":80,"
	"\"state\":\"open\",\"reason\":\"syn-ack\",\"identified\":{\"outcome\":\"named\","
	"\"service\":\"http\"}}]}]}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct scan scan, old;
	struct error err = {0};
	scan_init(&scan);
	scan_init(&old);
	int r = saved_scan_parse((const char *)data, n, &scan, &err);
	if (r < 0) {
		assert(err.code == r && err.what[0]);
	} else {
		assert(saved_scan_parse(other, sizeof(other) - 1, &old, &err) == 0);
		assert(scan_changes(&old, &scan) == 0 && scan.has_changes);
		assert(scan_changes(&scan, &old) == 0);
	}
	scan_done(&old);
	scan_done(&scan);
	return 0;
}
