// mlp_board as Verilator has it, behind a pseudo-terminal: what opens it talks to a board.
//
//     harness CYCLES NOISE SEED
//
// CYCLES are clock cycles of a bit, as the design was built; each bit is turned over with the
// probability of NOISE in a million, in both directions. Prints the path of the terminal and goes on
// until its standard input ends. A line "reset" there resets the design, whatever it is doing.

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <termios.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <random>
#include <string>

#include "Vdut.h"
#include "verilated.h"

namespace {

constexpr int BITS = 10;                 // of a byte: start, data, stop
constexpr int QUIET_BITS = 4 * BITS;     // without a byte either way the design may rest
constexpr int RESET_CYCLES = 4;

class Noise {
public:
    Noise(unsigned per_million, unsigned seed) : chance_(per_million / 1e6), random_(seed) {}
    bool on(bool level) { return level != (chance_ > 0 && uniform_(random_) < chance_); }

private:
    double chance_;
    std::mt19937 random_;
    std::uniform_real_distribution<double> uniform_{0, 1};
};

// Bytes to levels: what the host's transmitter puts on rx.
class Transmitter {
public:
    explicit Transmitter(int cycles) : cycles_(cycles) {}
    bool resting() const { return left_ == 0 && queue_.empty(); }
    void send(uint8_t byte) { queue_.push_back(byte); }

    bool level(Noise& noise) {
        if (count_ == 0) {
            if (left_ == 0 && !queue_.empty()) {
                bits_ = 1u << (BITS - 1) | unsigned{queue_.front()} << 1;
                queue_.pop_front();
                left_ = BITS;
            }
            level_ = true;
            if (left_ > 0) {
                level_ = noise.on(bits_ & 1);
                bits_ >>= 1;
                left_--;
            }
            count_ = cycles_;
        }
        count_--;
        return level_;
    }

private:
    int cycles_, count_ = 0, left_ = 0;
    unsigned bits_ = 0;
    bool level_ = true;
    std::deque<uint8_t> queue_;
};

// Levels to bytes: what the host's receiver makes of tx.
class Receiver {
public:
    explicit Receiver(int cycles) : cycles_(cycles) {}
    bool resting() const { return left_ == 0; }

    // Whether a byte is whole with this cycle's level.
    bool take(bool level, Noise& noise, uint8_t& byte) {
        if (left_ == 0) {
            if (level) return false;
            left_ = BITS;
            count_ = cycles_ / 2;
        }
        if (count_-- > 0) return false;
        count_ = cycles_ - 1;
        const bool seen = noise.on(level);
        left_--;
        if (left_ == 0) {
            byte = static_cast<uint8_t>(bits_);
            return seen;                 // else its stop bit is broken
        }
        bits_ = bits_ >> 1 | unsigned{seen} << 7;
        return false;
    }

private:
    int cycles_, count_ = 0, left_ = 0;
    unsigned bits_ = 0;
};

void cycle(Vdut& dut) {
    dut.clk = 0;
    dut.eval();
    dut.clk = 1;
    dut.eval();
}

void reset(Vdut& dut) {
    dut.rst = 1;
    for (int i = 0; i < RESET_CYCLES; i++) cycle(dut);
    dut.rst = 0;
}

int open_terminal() {
    int terminal = -1, slave = -1;
    char path[256];
    termios settings;
    if (openpty(&terminal, &slave, path, nullptr, nullptr) || tcgetattr(slave, &settings)) {
        std::perror("no pseudo-terminal");
        std::exit(1);
    }
    cfmakeraw(&settings);
    tcsetattr(slave, TCSANOW, &settings);
    // The slave stays open here, or the terminal would hang up between two visitors.
    fcntl(terminal, F_SETFL, O_NONBLOCK);
    std::printf("%s\n", path);
    std::fflush(stdout);
    return terminal;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) return 2;
    const int cycles = std::atoi(argv[1]);
    Noise noise(std::atoi(argv[2]), std::atoi(argv[3]));
    const int terminal = open_terminal();

    Vdut dut;
    Transmitter transmitter(cycles);
    Receiver receiver(cycles);
    dut.rx = 1;
    reset(dut);

    std::string command;
    for (int quiet = 0;;) {
        const int wait_ms = quiet > QUIET_BITS ? 50 : 0;
        pollfd sources[] = {{terminal, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
        poll(sources, 2, wait_ms);
        uint8_t bytes[256];
        if (sources[0].revents & POLLIN) {
            const ssize_t count = read(terminal, bytes, sizeof bytes);
            for (ssize_t i = 0; i < count; i++) transmitter.send(bytes[i]);
        }
        if (sources[1].revents) {
            const ssize_t count = read(STDIN_FILENO, bytes, sizeof bytes);
            if (count <= 0) return 0;
            command.append(reinterpret_cast<char*>(bytes), count);
            for (size_t end; (end = command.find('\n')) != std::string::npos;) {
                if (command.substr(0, end) == "reset") reset(dut);
                command.erase(0, end + 1);
            }
        }
        quiet = transmitter.resting() && receiver.resting() ? quiet + 1 : 0;
        for (int i = 0; i < cycles; i++) {
            dut.rx = transmitter.level(noise);
            cycle(dut);
            uint8_t byte;
            if (!receiver.take(dut.tx, noise, byte)) continue;
            if (write(terminal, &byte, 1) != 1) std::perror("terminal");
        }
    }
}
