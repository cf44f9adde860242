/* Both sides of a door: what a stranger found, and what this host's table of sockets says. Pure. */
#ifndef SCAN_COMPARE_H
#define SCAN_COMPARE_H

#include "model/scan.h"
#include "model/services.h"

/* Gives the doors of addresses that are in @snapshot (sealed, with addresses of its namespaces)
 * their verdicts, adds those that are in the table but were not found open, and keeps @snapshot for
 * the holders. After scan_list. 0 or -ENOMEM. */
int compare_answers(const struct snapshot *snapshot, struct scan *scan);

/* The service that answers is another than the number's: both as words, "" or NULL unknown.
 * @has_tls: it spoke inside TLS. */
bool compare_is_other_service(const char *registered, const char *identified, bool has_tls);

/* The service that answers is none that @program speaks. */
bool compare_is_other_program(const char *program, const char *identified);

#endif
