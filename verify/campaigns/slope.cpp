// Streams vectors of two classes through mlp_learn_error, one after the other.
//
//     harness < vectors > deltas
//
// A vector is five bytes: two probabilities, two logits, the label; its deltas are two words of 16
// bits. The image of the slopes is read from the folder that this is started in.

#include <cstdint>
#include <cstdio>

#include "Vdut.h"
#include "verilated.h"

namespace {

constexpr int RESET_CYCLES = 4, PATIENCE = 100;     // cycles without a delta

void rise(Vdut& dut) {
    dut.clk = 1;
    dut.eval();
}

void fall(Vdut& dut) {
    dut.clk = 0;
    dut.eval();
}

}  // namespace

int main() {
    Vdut dut;
    dut.in_valid = 0;
    dut.out_ready = 1;
    dut.rst = 1;
    for (int i = 0; i < RESET_CYCLES; i++) {
        fall(dut);
        rise(dut);
    }
    dut.rst = 0;

    uint8_t vector[5];
    uint64_t sent = 0, received = 0;
    bool more = true, last = false;
    for (int silent = 0; more || received < 2 * sent; silent++) {
        if (more && !dut.in_valid) {
            more = std::fread(vector, sizeof vector, 1, stdin) == 1;
            dut.in_valid = more;
            dut.in_p = vector[0] | vector[1] << 8;
            dut.in_logits = vector[2] | vector[3] << 8;
            dut.in_label = vector[4];
        }
        fall(dut);
        const bool taken = dut.in_valid && dut.in_ready;
        sent += taken;
        if (dut.out_valid) {
            const uint16_t delta = dut.out_d;
            last = received % 2;
            if (bool(dut.out_last) != last) {
                std::fprintf(stderr, "delta %llu: last stands elsewhere\n", (unsigned long long)received);
                return 1;
            }
            std::fwrite(&delta, sizeof delta, 1, stdout);
            received++;
            silent = 0;
        } else if (silent > PATIENCE) {
            std::fprintf(stderr, "no delta %llu\n", (unsigned long long)received);
            return 1;
        }
        rise(dut);
        if (taken) dut.in_valid = 0;
    }
    return 0;
}
