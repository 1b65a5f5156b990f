// Sends a sample in each cycle through a pipeline that alkaid made, and keeps what leaves it.
//
//   harness INPUTS BYTES_IN OUTPUTS BYTES_OUT AFTER SECONDS
//
// The pipeline has neither valid nor ready: what its output port holds before each rising edge is
// written, for AFTER cycles beyond the last sample too, and the reader finds the latency. Then the
// same samples are sent again and again for SECONDS; the last word is samples per second.

#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "Vdut.h"
#include "verilated.h"

int main(int argc, char** argv) {
    if (argc != 7) {
        std::fputs("6 arguments are legal\n", stderr);
        return 1;
    }
    std::ifstream file(argv[1], std::ios::binary);
    const std::vector<char> in((std::istreambuf_iterator<char>(file)), {});
    const size_t bytes_in = std::stoul(argv[2]), bytes_out = std::stoul(argv[4]);
    const size_t after = std::stoul(argv[5]), samples = in.size() / bytes_in;
    const double seconds = std::stod(argv[6]);
    std::ofstream out(argv[3], std::ios::binary);
    if (samples == 0) {
        std::fprintf(stderr, "%s holds no sample\n", argv[1]);
        return 1;
    }

    Vdut dut;
    auto offer = [&](size_t sample) {
        std::memcpy(&dut.model_inp, &in[bytes_in * sample], bytes_in);
        dut.clk = 0;
        dut.eval();
    };
    auto rise = [&] {
        dut.clk = 1;
        dut.eval();
    };
    for (size_t i = 0; i < samples + after; i++) {
        offer(i < samples ? i : samples - 1);
        out.write(reinterpret_cast<const char*>(&dut.model_out), std::streamsize(bytes_out));
        rise();
    }

    const auto start = std::chrono::steady_clock::now();
    double passed = 0, sent = 0;
    do {
        for (size_t i = 0; i < samples; i++) {
            offer(i);
            rise();
        }
        sent += double(samples);
        passed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    } while (passed < seconds);
    std::printf("{\"samples per second\": %.1f}\n", sent / passed);
}
