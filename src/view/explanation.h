/* What a port's number means, as prose and as JSON. */
#ifndef VIEW_EXPLANATION_H
#define VIEW_EXPLANATION_H

#include "model/explanation.h"
#include "view/page.h"

void explanation_print(const struct page *page, const struct explanation *explanation);

/* One object: port, class, ephemeral, reserved, ..., tcp, udp. */
void explanation_json(struct out *out, const struct explanation *explanation);

#endif
