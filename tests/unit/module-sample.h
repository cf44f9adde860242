/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the module for test-module.c shows: one table of functions. */
#ifndef TESTS_MODULE_SAMPLE_H
#define TESTS_MODULE_SAMPLE_H

struct sample {
	int (*twice)(int number);
};

#endif
