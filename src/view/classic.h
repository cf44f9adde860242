/* The views that hands know from Windows: netstat, fport and mport. */
#ifndef VIEW_CLASSIC_H
#define VIEW_CLASSIC_H

#include "model/hosts.h"
#include "model/rows.h"
#include "model/statistics.h"

/* What netstat's -p takes. */
enum classic_proto { CLASSIC_ALL, CLASSIC_TCP, CLASSIC_UDP, CLASSIC_TCP6, CLASSIC_UDP6 };

struct netstat_view {
	bool all;		   /* -a: listeners and UDP too */
	bool has_pids;		   /* -o */
	bool has_executables;	   /* -b */
	bool is_numeric;	   /* -n */
	enum classic_proto proto;  /* -p */
	const struct hosts *hosts; /* names of addresses, unless is_numeric; NULL: none */
};

/* "Active Connections" and the table, a row for each socket of @rows that the view shows. */
void netstat_print(struct out *out, const struct rows *rows, const struct netstat_view *view);

/* netstat -s: those that @proto takes. */
void netstat_print_statistics(struct out *out, const struct statistics *statistics,
			      enum classic_proto proto);

enum fport_order { FPORT_BY_PORT, FPORT_BY_PID, FPORT_BY_APPLICATION, FPORT_BY_PATH };

/* `Pid Process Port Proto Path`: each process and port once. 0 or -ENOMEM. */
int fport_print(struct out *out, const struct rows *rows, enum fport_order order);

#endif
