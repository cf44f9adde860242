/* What a scan found, shown: table, JSON, and the forms of nmap that other tools read. */
#ifndef VIEW_SCAN_H
#define VIEW_SCAN_H

#include "model/scan.h"
#include "model/services.h"
#include "view/page.h"

/* What is shown, and by whom the numbers are named. */
struct scan_show {
	const struct scan *scan;
	const struct services *services; /* may be NULL */
	const char *arguments;		 /* the command line, for nmap's forms */
};

void scan_table(const struct page *page, const struct scan_show *show);

/* One document. */
void scan_json(struct out *out, const struct scan_show *show);
/* A line a door, then one for each group of others, then {"end":...}. */
void scan_jsonl(struct out *out, const struct scan_show *show);

/* nmap's -oX and -oG. */
void scan_xml(struct out *out, const struct scan_show *show);
void scan_grepable(struct out *out, const struct scan_show *show);

#endif
