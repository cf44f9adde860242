/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One line of JSON, written piece by piece. */
#include "stage.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void json_start(struct json *json)
{
	*json = (struct json){0};
	json->file = open_memstream(&json->text, &json->size);
	if (!json->file)
		fail("memory for the answer");
}

void json_done(struct json *json)
{
	if (json->file)
		fclose(json->file);
	free(json->text);
	*json = (struct json){0};
}

static void put_string(FILE *file, const char *text)
{
	fputc('"', file);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		if (c == '"' || c == '\\')
			fprintf(file, "\\%c", c);
		else if (c < 0x20)
			fprintf(file, "\\u%04x", c);
		else
			fputc(c, file);
	}
	fputc('"', file);
}

static void put_key(struct json *json, const char *key)
{
	if (json->started)
		fputc(',', json->file);
	json->started = true;
	if (key) {
		put_string(json->file, key);
		fputc(':', json->file);
	}
}

void json_uint(struct json *json, const char *key, uint64_t value)
{
	put_key(json, key);
	fprintf(json->file, "%" PRIu64, value);
}

void json_string(struct json *json, const char *key, const char *text)
{
	put_key(json, key);
	if (text)
		put_string(json->file, text);
	else
		fputs("null", json->file);
}

/* For bytes that no JSON string can hold. */
void json_hex(struct json *json, const char *key, const char *bytes, size_t size)
{
	put_key(json, key);
	fputc('"', json->file);
	for (size_t i = 0; i < size; i++)
		fprintf(json->file, "%02x", (unsigned char)bytes[i]);
	fputc('"', json->file);
}

void json_address(struct json *json, const char *key, const struct sockaddr_storage *address)
{
	char text[INET6_ADDRSTRLEN] = "";
	const struct sockaddr_in *in4 = (const void *)address;
	const struct sockaddr_in6 *in6 = (const void *)address;

	if (address->ss_family == AF_INET)
		inet_ntop(AF_INET, &in4->sin_addr, text, sizeof(text));
	else if (address->ss_family == AF_INET6)
		inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof(text));
	json_string(json, key, text[0] ? text : NULL);
}

void json_open(struct json *json, const char *key, char bracket)
{
	put_key(json, key);
	fputc(bracket, json->file);
	json->started = false;
}

void json_close(struct json *json, char bracket)
{
	fputc(bracket, json->file);
	json->started = true;
}

void json_pids(struct json *json, const char *key, const pid_t *pids, size_t n)
{
	json_open(json, key, '[');
	for (size_t i = 0; i < n; i++)
		json_uint(json, NULL, (uint64_t)pids[i]);
	json_close(json, ']');
}
