/* What the loop asks of the machine it runs on: a microcontroller (board.c) or, to try it out, this computer (host.c). */

#ifndef BOARD_H
#define BOARD_H

#include <stdint.h>

void board_start(void); /* Begin to count. */
uint32_t board_instructions(void); /* How many instructions since the call before; 0 where nobody counts. */
uint32_t board_stack_bytes(void); /* The most that the stack has taken so far; 0 where nobody knows. */
void board_write(const char *text);
void board_end(int code); /* Does not return. */

#endif
