/* Functions that invite a fault; included by every file through the build (-include). */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* macros where clang sees _FORTIFY_SOURCE */
#undef sprintf
#undef vsprintf

#pragma GCC poison strcpy strcat sprintf vsprintf strtok atoi atol atoll inet_ntoa localtime \
	gmtime system

#endif
