// mlp_learn_board behind a pseudo-terminal: simulated_board.cpp, which rests later.
//
// A board that learns is busy with a start for thousands of cycles in which its line is quiet.

#include <poll.h>

// Calls after which a quiet line is that of a board at rest: more bits than any request takes.
constexpr int BUSY_CALLS = 1 << 14;

int poll_of_a_busy_board(pollfd* sources, nfds_t count, int wait_ms) {
    static int quiet = 0;
    quiet = wait_ms ? quiet + 1 : 0;
    return poll(sources, count, quiet > BUSY_CALLS ? wait_ms : 0);
}

#define poll poll_of_a_busy_board
#include "simulated_board.cpp"
