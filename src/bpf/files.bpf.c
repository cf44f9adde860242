/* Every descriptor that is a socket with a port, of all processes and all network namespaces, in
 * one pass. */
#include "bpf/socket.h"

#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define S_IFREG 0100000
#define NSFS_MAGIC 0x6e736673

/* Anonymous inodes have no type of their own; the dentry names what it is. */
static __always_inline bool is_ring(const struct file *file)
{
	char name[16] = {};
	static const char ring[16] = "[io_uring]";
	const unsigned char *at = file->f_path.dentry->d_name.name;
	bpf_probe_read_kernel_str(name, sizeof(name), at);
	for (int i = 0; i < 10; i++)
		if (name[i] != ring[i])
			return false;
	return true;
}

SEC("iter/task_file")
int files(struct bpf_iter__task_file *ctx)
{
	struct file *file = ctx->file;
	struct task_struct *task = ctx->task;
	if (!file || !task)
		return 0;

	struct bpf_record record = {.kind = BPF_RECORD_SOCKET};
	struct inode *inode = file->f_inode;
	unsigned short type = inode->i_mode & S_IFMT;
	if (type == S_IFSOCK) {
		struct socket *socket = bpf_sock_from_file(file);
		struct sock *sk = socket ? socket->sk : 0;
		if (!sk || !fill_socket(&record, sk))
			return 0;
		record.inode = inode->i_ino;
	} else if (type == 0 && is_ring(file)) {
		record.kind = BPF_RECORD_RING;
	} else if (type == S_IFREG && inode->i_sb->s_magic == NSFS_MAGIC) {
		record.kind = BPF_RECORD_NETNS;
		record.inode = inode->i_ino;
	} else {
		return 0;
	}
	record.pid = task->tgid;
	record.fd = ctx->fd;
	bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
	return 0;
}

char program_license[] SEC("license") = "GPL";
