/*
 * mail.h — a record of fixed size over a SOCK_SEQPACKET socket, with a descriptor beside it.
 */
#ifndef LZ_LIVE_PROXY_MAIL_H
#define LZ_LIVE_PROXY_MAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* `fd` -1: none. False with errno: the other side is gone, or takes nothing for too long. */
bool lz_mail_send(int socket, const void *record, size_t size, int fd);

/* Its size; 0 or less as recvmsg has it. `fd` is the receiver's from now on; -1: none came. */
ssize_t lz_mail_receive(int socket, void *record, size_t size, int *fd);

#endif
