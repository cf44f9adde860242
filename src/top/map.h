/* How the map fits, and what a place of it shows. */
#ifndef TOP_MAP_H
#define TOP_MAP_H

#include <stdbool.h>
#include <stdint.h>

struct top;

struct map_area { /* of the square of 256 x 256 */
	unsigned row, column, down, across;
};

struct map_fit {
	unsigned size;		/* doors across and down: 256, or 16 where it is zoomed */
	unsigned across, down;	/* doors that a place covers: powers of two */
	unsigned columns, rows; /* characters that it takes */
};

/* In @rows x @columns characters of @across x @down places each. */
struct map_fit map_fit(unsigned rows, unsigned columns, unsigned across, unsigned down,
		       bool is_zoomed);

/* The door of the area that matters most: just changed, open, the widest reach. */
uint16_t map_most(const uint8_t *doors, struct map_area area);

void map_enter(struct top *top); /* into the 256 of the door that is told, and out again */
void map_leave(struct top *top);

#endif
