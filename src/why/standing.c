/* Which sockets of a snapshot stand in the way of a bind. */
#include "why/standing.h"

bool standing_is_connection(const struct socket *socket)
{
	return socket_has_peer(socket);
}

bool standing_in_the_way(struct inquiry *inquiry, const struct socket *socket, bool *ret_is_sure)
{
	const struct question *question = &inquiry->diagnosis->question;
	struct other_options options = {-1, socket->flags & SOCKET_REUSEPORT ? 1 : -1};
	if (socket->proto != question->proto || socket->local_port != question->port ||
	    socket->netns != question->netns || !question_overlaps(question, socket))
		return false;
	if (inquiry->own_inode && socket->inode == inquiry->own_inode)
		return false;
	enum conflict conflict = conflict_of(question, socket, &options);
	if (conflict == CONFLICT_MAYBE && !standing_is_connection(socket)) {
		conflict_read_options(inquiry->snapshot, socket, &options);
		conflict = conflict_of(question, socket, &options);
	}
	*ret_is_sure = conflict == CONFLICT_YES;
	return conflict != CONFLICT_NO;
}

const char *standing_reuseaddr_remedy(const struct inquiry *inquiry)
{
	const struct diagnosis *diagnosis = inquiry->diagnosis;
	const struct tried *tried = &diagnosis->reuseaddr;
	if (diagnosis->question.reuseaddr)
		return "SO_REUSEADDR does not help, since the old socket was bound without it";
	if (tried->is_tried && !tried->error)
		return "set SO_REUSEADDR before bind(): with it the kernel grants the port (tried)";
	if (tried->is_tried)
		return "SO_REUSEADDR does not help as things are (tried): it must have been set on "
		       "the old socket too, and nobody may listen there";
	return "SO_REUSEADDR helps if the old socket had it too";
}
