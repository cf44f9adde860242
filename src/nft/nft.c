/* Our table, read and changed by libnftables in the network namespace of the calling thread. */
#include <errno.h>
#include <nftables/libnftables.h>
#include <string.h>

#include "base/module.h"
#include "nft/nft.h"
#include "nft/parse-interface.h"
#include "nft/parse-nat.h"
#include "nft/parse.h"
#include "nft/script.h"

static void free_context(struct nft_ctx **context)
{
	if (*context)
		nft_ctx_free(*context);
}

/* What went wrong: libnftables tells it in words alone, the last of which are the system's. */
static int errno_of(const char *text)
{
	static const int numbers[] = {EPERM, EACCES, ENOENT, EEXIST,	  EOPNOTSUPP,
				      EBUSY, ENOMEM, EINVAL, EAFNOSUPPORT};
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (strstr(text, strerror(numbers[i])))
			return -numbers[i];
	return -EIO;
}

/* The first line, without "Error: ". */
static void tell(const char *text, int code, struct error *err)
{
	static const char begin[] = "Error: ";
	if (strncmp(text, begin, sizeof(begin) - 1) == 0)
		text += sizeof(begin) - 1;
	error_text(err, code, "the packet filter: %.*s", (int)strcspn(text, "\n"), text);
	if (code == -EOPNOTSUPP || code == -EAFNOSUPPORT || code == -EINVAL)
		error_hint(err, "it needs nf_tables with intervals in concatenations (Linux 5.9)");
}

/* Runs @command. *@ret_context keeps what it wrote. */
static int run(const char *command, unsigned flags, struct nft_ctx **ret_context, struct error *err)
{
	struct nft_ctx *context = *ret_context = nft_ctx_new(NFT_CTX_DEFAULT);
	if (!context || nft_ctx_buffer_output(context) != 0 || nft_ctx_buffer_error(context) != 0)
		return error_set(err, -ENOMEM, "ask the packet filter");
	nft_ctx_output_set_flags(context, flags);
	if (nft_run_cmd_from_buffer(context, command) == 0)
		return 0;
	const char *text = nft_ctx_get_error_buffer(context);
	int r = errno_of(text ? text : "");
	tell(text ? text : "", r, err);
	return r;
}

/* The listing of our table. -ENOENT: there is none. */
static int list_table(unsigned flags, struct nft_ctx **ret_context, const char **ret_text,
		      struct error *err)
{
	struct error told = {.code = 0};
	int r = run("list table inet " NFT_TABLE, flags, ret_context, &told);
	if (r < 0 && r != -ENOENT && err)
		*err = told;
	const char *text = r < 0 ? NULL : nft_ctx_get_output_buffer(*ret_context);
	*ret_text = text ? text : "";
	return r;
}

static int read_table(struct block_table *ret, struct error *err)
{
	cleanup(free_context) struct nft_ctx *objects = NULL, *words = NULL;
	const char *text;
	int r = list_table(NFT_CTX_OUTPUT_TERSE, &words, &text, err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	ret->is_there = true;
	ret->is_dormant = nft_parse_dormant(text);
	if (ret->is_dormant)
		return 0;
	r = list_table(NFT_CTX_OUTPUT_JSON | NFT_CTX_OUTPUT_NUMERIC_ALL, &objects, &text, err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = nft_parse(text, strlen(text), ret);
	return r < 0 ? error_set(err, r, "read the table inet " NFT_TABLE) : 0;
}

static int change_table(const struct block_table *table, const struct block_change *change,
			struct error *err)
{
	cleanup(free_context) struct nft_ctx *context = NULL;
	cleanup(out_done) struct out script = {.fd = -1};
	int r = out_init(&script, -1);
	if (r < 0)
		return error_set(err, r, "write to the packet filter");
	nft_script(&script, table, change);
	out_char(&script, '\0');
	if (script.error)
		return error_set(err, script.error, "write to the packet filter");
	r = run(script.data, 0, &context, err);
	if (r >= 0 && table->is_dormant && change->after.n)
		return -EAGAIN; /* it is awake now, and what it has can be read */
	return r == -ENOENT || r == -EEXIST ? -EAGAIN : r;
}

static int list_all(struct nft_ctx **ret_context, const char **ret_text, struct error *err)
{
	int r = run("list ruleset",
		    NFT_CTX_OUTPUT_HANDLE | NFT_CTX_OUTPUT_STATELESS | NFT_CTX_OUTPUT_NUMERIC_ALL,
		    ret_context, err);
	const char *text = r < 0 ? NULL : nft_ctx_get_output_buffer(*ret_context);
	*ret_text = text ? text : "";
	return r;
}

static int find_nat(const struct nat_wanted *wanted, struct nft_rule *ret, struct error *err)
{
	cleanup(free_context) struct nft_ctx *context = NULL;
	const char *text;
	int r = list_all(&context, &text, err);
	return r < 0 ? r : nft_parse_nat(text, wanted, ret);
}

static int find_interfaces(void (*tell_rule)(void *data, const struct nft_rule *rule), void *data,
			   struct error *err)
{
	cleanup(free_context) struct nft_ctx *context = NULL;
	const char *text;
	int r = list_all(&context, &text, err);
	return r < 0 ? r : (int)nft_parse_interface(text, tell_rule, data);
}

static const struct nft functions = {.read = read_table,
				     .change = change_table,
				     .find_nat = find_nat,
				     .find_interfaces = find_interfaces};

MODULE_DEFINE(nft) = {.name = "nft", .version = NFT_VERSION, .functions = &functions};
