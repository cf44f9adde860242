/* What keys do. */
#ifndef TOP_ACTIONS_H
#define TOP_ACTIONS_H

#include <stdbool.h>

struct top;
struct job;

void action_story(struct top *top);
void action_close(struct top *top);
void action_block(struct top *top);
void action_why(struct top *top);
void action_deliver(struct top *top);
void action_filter(struct top *top);
void action_group(struct top *top);
void action_sort(struct top *top);
void action_reverse(struct top *top);
void action_columns(struct top *top);
void action_copy(struct top *top);
void action_write(struct top *top);
void action_moment(struct top *top);
void action_proto(struct top *top);
void action_drawing(struct top *top);

/* The answer to what a job asked: 'y' and others of its keys. False: no key of it. */
bool action_answer(struct top *top, struct job *question, unsigned point);

#endif
