/* board.h on an ARM Cortex-M4F or M7 (mps2-an386, mps2-an500): start-up, a counter, the stack, and words by semihosting.

   For a board of your own take its vendor's start-up code and linker script in the place of the first half of this file
   and of mps2.ld, and a UART in the place of board_write. */

#include "board.h"

extern uint32_t stack_bottom, stack_top, data_at, data_begin, data_end, bss_begin, bss_end; /* mps2.ld */
extern int main(void);

#define WORD(address) (*(volatile uint32_t *)(address))
#define COPROCESSORS WORD(0xE000ED88)
#define SYSTICK_CONTROL WORD(0xE000E010)
#define SYSTICK_RELOAD WORD(0xE000E014)
#define SYSTICK_VALUE WORD(0xE000E018)

#define PAINT 0x5EED5EEDu
/* The counter has 24 bits and runs at 25 MHz. Emulated with -icount shift=0, an instruction takes one nanosecond. */
#define COUNTS 0xFFFFFFu
#define INSTRUCTIONS_A_COUNT 40u

static uint32_t last;

static uint32_t semihost(uint32_t operation, const void *argument)
{
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

void board_write(const char *text) { semihost(0x04, text); }

void board_end(int code)
{
    semihost(0x18, (const void *)(code == 0 ? 0x20026u : 0x20023u));
    for (;;) {}
}

void board_start(void)
{
    SYSTICK_RELOAD = COUNTS;
    SYSTICK_VALUE = 0;
    SYSTICK_CONTROL = 5; /* on, from the processor's clock */
    last = SYSTICK_VALUE;
}

uint32_t board_instructions(void)
{
    const uint32_t now = SYSTICK_VALUE, passed = (last - now) & COUNTS;
    last = now;
    return passed * INSTRUCTIONS_A_COUNT;
}

uint32_t board_stack_bytes(void)
{
    const uint32_t *word = &stack_bottom;
    while (*word == PAINT) ++word;
    return (uint32_t)((const char *)&stack_top - (const char *)word);
}

/* After a fault there is nothing to be done here but to say so. */
static void fault(void)
{
    board_write("fault\n");
    board_end(1);
}

static void reset(void)
{
    uint32_t *from = &data_at, *to, here;
    __asm__ volatile("mov %0, sp" : "=r"(here));
    for (to = &data_begin; to < &data_end; ++to) *to = *from++;
    for (to = &bss_begin; to < &bss_end; ++to) *to = 0;
    for (to = &stack_bottom; (uint32_t)to < here; ++to) *to = PAINT;
    COPROCESSORS |= 0xFu << 20; /* the floating-point unit */
    __asm__ volatile("dsb\n\tisb");
    board_end(main());
}

__attribute__((section(".vectors"), used)) static const void *const vectors[16] = {
    &stack_top, (void *)reset, (void *)fault, (void *)fault, (void *)fault, (void *)fault, (void *)fault,
};
