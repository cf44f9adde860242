/* How a call that failed tells a person why. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

static const struct {
	int number;
	const char *words;
} reasons[] = {
	{EPERM, "not permitted"},
	{EACCES, "permission denied"},
	{ENOENT, "no such file or directory"},
	{EISDIR, "it is a directory"},
	{EIO, "it cannot be read or written"},
	{ENOMEM, "out of memory"},
	{EINVAL, "not valid"},
	{ENOTSUP, "not supported here"},
	{ENOSYS, "not in this kernel"},
	{EINTR, "broken off"},
	{ESRCH, "no such process"},
	{ENOSPC, "no space left"},
	{EEXIST, "it is there already"},
	{EMFILE, "too many open files"},
	{EBADMSG, "not what was expected"},
	{ERANGE, "out of range"},
	{EPIPE, "nobody reads the output"},
	{ETIMEDOUT, "timed out"},
	{EPROTONOSUPPORT, "the kernel does not have this protocol"},
};

const char *error_reason(int code)
{
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		if (reasons[i].number == -code)
			return reasons[i].words;
	return strerror(-code);
}

static void tell(struct error *err, int code, const char *reason, const char *format,
		 va_list arguments)
{
	if (!err)
		return;
	err->code = code;
	err->hint[0] = '\0';
	err->place = 0;
	int n = vsnprintf(err->what, sizeof(err->what), format, arguments);
	if (reason && n >= 0 && (size_t)n < sizeof(err->what))
		snprintf(err->what + n, sizeof(err->what) - (size_t)n, ": %s", reason);
}

int error_set(struct error *err, int code, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	tell(err, code, error_reason(code), format, arguments);
	va_end(arguments);
	return code;
}

int error_text(struct error *err, int code, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	tell(err, code, NULL, format, arguments);
	va_end(arguments);
	return code;
}

void error_hint(struct error *err, const char *format, ...)
{
	if (!err)
		return;
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(err->hint, sizeof(err->hint), format, arguments);
	va_end(arguments);
}
