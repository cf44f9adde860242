/* To whom a packet goes, as prose and as JSON. */
#ifndef VIEW_DELIVERY_H
#define VIEW_DELIVERY_H

#include "model/delivery.h"
#include "view/json.h"
#include "view/page.h"

/* With its candidates and why each was or was not chosen. */
void delivery_print(const struct page *page, const struct snapshot *snapshot,
		    const struct delivery *delivery);

/* Where there is not one: the namespace has no address. */
void delivery_print_none(const struct page *page);

/* One line: for the many addresses of this host. */
void delivery_print_short(const struct page *page, const struct snapshot *snapshot,
			  const struct delivery *delivery);

void delivery_json(struct out *out, struct json_shape *shape, const struct snapshot *snapshot,
		   const struct delivery *delivery);

#endif
