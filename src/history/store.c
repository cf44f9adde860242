/* SQLite as the rest of the folder sees it. */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "history/store.h"

int store_errno(int code)
{
	switch (code & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return -EACCES;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_CANTOPEN:
		return -EACCES;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_ERROR: /* a table that is not there, or not as it should be */
	case SQLITE_MISMATCH:
	case SQLITE_CONSTRAINT:
		return -EBADMSG;
	case SQLITE_TOOBIG:
		return -EFBIG;
	default:
		return -EIO;
	}
}

int store_error(sqlite3 *db, int code, struct error *err, const char *what)
{
	int r = store_errno(code ? code : db ? sqlite3_errcode(db) : SQLITE_NOMEM);
	const char *path = db ? sqlite3_db_filename(db, "main") : NULL;
	if (r == 0)
		return 0;
	if ((code & 0xff) == SQLITE_IOERR && db) {
		int why = sqlite3_system_errno(db);
		if (why == ENOSPC || why == EDQUOT)
			r = -ENOSPC;
	}
	if (r == -EBADMSG)
		return error_text(err, r, "%s %s: the file is damaged (%s)", what,
				  path && *path ? path : "the history",
				  db ? sqlite3_errmsg(db) : "");
	return error_set(err, r, "%s %s", what, path && *path ? path : "the history");
}

int store_damaged(sqlite3 *db, int r, struct error *err)
{
	const char *path = sqlite3_db_filename(db, "main");
	if (r == -ENOMEM)
		return error_set(err, r, "read %s", path);
	return error_text(err, -EBADMSG, "read %s: the file is damaged (rows that are none)", path);
}

static int prepare(sqlite3 *db, sqlite3_stmt **ret, struct error *err, const char *format,
		   va_list arguments)
{
	char *sql = sqlite3_vmprintf(format, arguments);
	if (!sql)
		return error_set(err, -ENOMEM, "read the history");
	int code = sqlite3_prepare_v3(db, sql, -1, 0, ret, NULL);
	sqlite3_free(sql);
	return code == SQLITE_OK ? 0 : store_error(db, code, err, "read");
}

int store_prepare(sqlite3 *db, sqlite3_stmt **ret, struct error *err, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	int r = prepare(db, ret, err, format, arguments);
	va_end(arguments);
	return r;
}

int store_run(sqlite3 *db, struct error *err, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	char *sql = sqlite3_vmprintf(format, arguments);
	va_end(arguments);
	if (!sql)
		return error_set(err, -ENOMEM, "write the history");
	int code = sqlite3_exec(db, sql, NULL, NULL, NULL);
	sqlite3_free(sql);
	return code == SQLITE_OK ? 0 : store_error(db, code, err, "write");
}

int store_number(sqlite3 *db, int64_t otherwise, int64_t *ret, struct error *err,
		 const char *format, ...)
{
	cleanup(statement_free) sqlite3_stmt *statement = NULL;
	va_list arguments;
	va_start(arguments, format);
	int r = prepare(db, &statement, err, format, arguments);
	va_end(arguments);
	if (r < 0)
		return r;
	int code = sqlite3_step(statement);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return store_error(db, code, err, "read");
	bool has = code == SQLITE_ROW && sqlite3_column_type(statement, 0) != SQLITE_NULL;
	*ret = has ? sqlite3_column_int64(statement, 0) : otherwise;
	return 0;
}

int store_step(sqlite3_stmt *statement)
{
	int code = sqlite3_step(statement);
	sqlite3_reset(statement);
	return code == SQLITE_DONE || code == SQLITE_ROW ? SQLITE_OK : code;
}

void store_bind(sqlite3_stmt *put, int at, const int64_t *numbers, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (numbers[i] == NUMBER_NONE)
			sqlite3_bind_null(put, at + (int)i);
		else
			sqlite3_bind_int64(put, at + (int)i, numbers[i]);
}

int64_t store_about(sqlite3 *db, const char *key, int64_t otherwise)
{
	int64_t found;
	int r = store_number(db, otherwise, &found, NULL,
			     "SELECT value FROM about WHERE key = '%s'", key);
	return r < 0 ? otherwise : found;
}

uint32_t store_known(sqlite3_stmt *from, int at)
{
	int64_t number = sqlite3_column_int64(from, at);
	return number > 0 && number < UINT32_MAX ? (uint32_t)number : 0;
}

uint8_t store_below(sqlite3_stmt *from, int at, unsigned limit)
{
	int64_t number = sqlite3_column_int64(from, at);
	return number >= 0 && number < limit ? (uint8_t)number : 0;
}

bool store_peer(sqlite3_stmt *from, int at, struct ip *ret, bool *ret_is_v4)
{
	const void *peer = sqlite3_column_blob(from, at);
	int n = sqlite3_column_bytes(from, at);
	*ret_is_v4 = peer && n == 4;
	if (!peer || (n != 4 && n != 16))
		return false;
	*ret = n == 4 ? ip_from_v4(peer) : ip_from_v6(peer);
	return true;
}
