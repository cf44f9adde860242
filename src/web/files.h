/* The files of the page, compiled in: made of src/web/page/ and vendor/ by tools/make-page-files.
 */
#ifndef WEB_FILES_H
#define WEB_FILES_H

#include <stddef.h>
#include <stdint.h>

struct page_file {
	const char *path; /* "/", "/page/main.js"; NULL behind the last */
	const char *type, *etag;
	const uint8_t *bytes;
	size_t n;
	const uint8_t *gzip;
	size_t n_gzip;
};

extern const struct page_file page_files[];

#endif
