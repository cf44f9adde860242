/* Which change comes before or behind a moment: nothing of it but its time. */
#include <string.h>

#include "history/archive.h"

struct seeking {
	const struct archive *archive;
	const struct change_wish *wish;
	int64_t boot; /* that is being read */
	uint64_t found;
};

static void look_at(struct seeking *seeking, uint64_t uptime)
{
	const struct change_wish *wish = seeking->wish;
	uint64_t grain = wish->grain_ns,
		 time = archive_time(seeking->archive, seeking->boot, uptime),
		 at = (time + grain - 1) / grain * grain;
	if (!time || at <= wish->since_ns || at >= wish->until_ns)
		return;
	if (!seeking->found || (wish->is_first ? at < seeking->found : at > seeking->found))
		seeking->found = at;
}

static int look(void *data, struct revived_row *row)
{
	look_at(data, row->interval.opened_uptime_ns);
	if (row->interval.closed_uptime_ns)
		look_at(data, row->interval.closed_uptime_ns);
	return 0;
}

static int look_in_boot(struct seeking *seeking, struct archive *archive, uint64_t from,
			uint64_t until, bool is_newest, struct error *err)
{
	struct narrow narrow;
	int r = 0;
	narrow_by(&narrow, archive->db, NULL);
	if (is_newest)
		r = search_open(archive, seeking->boot, &narrow, look, seeking, err);
	for (uint32_t i = archive->parts.n; r >= 0 && i--;) {
		const struct part *part = vector_at(&archive->parts, i);
		if (part->boot == seeking->boot)
			r = search_part(archive, part, from, until, &narrow, look, seeking, err);
	}
	return r;
}

int recall_change(struct archive *archive, const struct change_wish *wish, uint64_t *ret,
		  struct error *err)
{
	struct seeking seeking = {.archive = archive, .wish = wish};
	int r = archive_begin(archive, err);
	if (r < 0)
		return r;
	const struct moment from = archive_moment(archive, wish->since_ns),
			    until = archive_moment(archive, wish->until_ns);
	for (uint32_t i = archive->boots.n; r >= 0 && i--;) {
		const struct boot *boot = vector_at(&archive->boots, i);
		if (boot->id < from.boot || boot->id > until.boot)
			continue;
		seeking.boot = boot->id;
		r = look_in_boot(&seeking, archive, boot->id == from.boot ? from.uptime : 0,
				 boot->id == until.boot ? until.uptime : UINT64_MAX,
				 i + 1 == archive->boots.n, err);
	}
	archive_end(archive);
	*ret = seeking.found;
	return r < 0 ? r : 0;
}
