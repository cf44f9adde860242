/* Inks as colours on a dark and on a light ground: one of 24 bits, and one of the sixteen. */
#include "screen/palette.h"

#define OWN UINT32_MAX /* the terminal's */
#define GREY 8

static const struct {
	uint32_t dark, light;
	int8_t basic, basic_light; /* of 16; -1: the terminal's */
} inks[INK_MAX] = {
	[INK_PLAIN] = {OWN, OWN, -1, -1},
	[INK_DIM] = {0x8a8a8a, 0x6c6c6c, 8, 8},
	[INK_TITLE] = {0x5fd7ff, 0x005faf, 6, 4},
	[INK_BAR] = {0x303030, 0xd0d0d0, -1, -1},
	[INK_BAR_DIM] = {0x767676, 0x808080, 8, 8},
	[INK_SELECTED] = {0x264f78, 0xafd7ff, 4, 6},
	[INK_GOOD] = {0x5fd75f, 0x008700, 2, 2},
	[INK_WARNING] = {0xffd75f, 0x875f00, 3, 3},
	[INK_BAD] = {0xff5f5f, 0xaf0000, 1, 1},
	[INK_NEW] = {0x5fff5f, 0x008700, 10, 2},
	[INK_NEW_FADED] = {0x5faf5f, 0x5f875f, 2, 2},
	[INK_NEW_GONE] = {0x87af87, 0x5f875f, 2, 2},
	[INK_CHANGED] = {0xffff5f, 0x875f00, 11, 3},
	[INK_CHANGED_FADED] = {0xd7af5f, 0x87875f, 3, 3},
	[INK_CHANGED_GONE] = {0xafaf87, 0x87875f, 3, 3},
	[INK_GONE] = {0xff5f5f, 0xd70000, 9, 1},
	[INK_GONE_FADED] = {0xd75f5f, 0xaf5f5f, 1, 1},
	[INK_GONE_GONE] = {0xaf8787, 0xaf8787, 1, 1},
	[INK_CLOSED] = {0x262626, 0xe4e4e4, 0, 7},
	[INK_CLOSED_EPHEMERAL] = {0x303a46, 0xd7dfff, 8, 15},
	[INK_BOUND] = {0x8787af, 0x5f5f87, 5, 5},
	[INK_LOOPBACK] = {0x5faf5f, 0x5faf5f, 2, 2},
	[INK_LINK_LOCAL] = {0x5fd7d7, 0x008787, 6, 6},
	[INK_PRIVATE] = {0xffd75f, 0xd7af00, 11, 3},
	[INK_PUBLIC] = {0xff5f5f, 0xd70000, 9, 9},
	[INK_ANY] = {0xff875f, 0xd75f00, 1, 1},
	[INK_GROUP] = {0xd787ff, 0x8700af, 13, 13},
	[INK_CONNECTED] = {0x5f87ff, 0x005fd7, 12, 12},
	[INK_LEAVING] = {0x5f5f87, 0x8787af, 4, 4},
	[INK_FLASH] = {0xffffff, 0x000000, 15, 0},
	[INK_CURSOR] = {0xffffff, 0x000000, 15, 0},
};

/* The nearest of xterm's 256: a cube of 6, and 24 greys. */
static int of_256(uint32_t rgb)
{
	static const uint8_t steps[6] = {0, 95, 135, 175, 215, 255};
	unsigned parts[3] = {rgb >> 16, rgb >> 8 & 255, rgb & 255}, cube = 16;
	if (parts[0] == parts[1] && parts[1] == parts[2] && parts[0] >= 8 && parts[0] <= 238)
		return 232 + (int)(parts[0] - 8 + 5) / 10;
	for (unsigned i = 0; i < 3; i++) {
		unsigned best = 0;
		for (unsigned k = 1; k < 6; k++) {
			int d = (int)parts[i] - steps[k], e = (int)parts[i] - steps[best];
			best = d * d < e * e ? k : best;
		}
		cube += best * (i == 0 ? 36 : i == 1 ? 6 : 1);
	}
	return (int)cube;
}

/* Of eight the bright ones are as the others; but grey would be black, so that letters in it are
 * the terminal's own. */
static int of_8(enum ink ink, int basic)
{
	return basic < 0 || (basic == GREY && ink != INK_CLOSED_EPHEMERAL) ? -1 : basic % 8;
}

int palette_colour(enum ink ink, enum colours colours, bool is_light)
{
	uint32_t rgb = is_light ? inks[ink].light : inks[ink].dark;
	int basic = is_light ? inks[ink].basic_light : inks[ink].basic;
	if (rgb == OWN || colours == COLOURS_NONE)
		return -1;
	if (colours == COLOURS_DIRECT)
		return (int)rgb;
	if (colours == COLOURS_256)
		return of_256(rgb);
	return colours == COLOURS_16 ? basic : of_8(ink, basic);
}
