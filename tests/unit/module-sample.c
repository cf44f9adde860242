/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The smallest module, for test-module.c: built under the names sample and misnamed. */
#include "base/module.h"
#include "module-sample.h"

static int twice(int number)
{
	return number * 2;
}

static const struct sample functions = {.twice = twice};

const struct module doorward_module = {.name = "sample", .version = 3, .functions = &functions};
