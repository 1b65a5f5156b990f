// Runs an accelerator that NNgen made, with a memory behind its AXI master that never lets it wait.
//
//   harness PARAMETERS ADDRESS INPUTS ADDRESS BYTES OUTPUTS ADDRESS BYTES SECONDS
//
// A run: BYTES of INPUTS into the memory, a one into the start register, and cycles are counted from
// the edge that takes it until the interrupt; then BYTES of OUTPUTS out of the memory. All of INPUTS
// are run once and written, then again until SECONDS have passed.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <deque>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

#include "Vdut.h"
#include "verilated.h"

namespace {

// Byte addresses of the registers that NNgen gives every accelerator.
constexpr uint32_t START = 16, ENABLE_INTERRUPT = 40, ACKNOWLEDGE = 44;
constexpr uint32_t WORD = 4, RESET_CYCLES = 4;
constexpr uint64_t PATIENCE = 10'000'000;
constexpr size_t MEMORY = 1 << 20;

std::vector<char> bytes_of(const char* path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error(std::string(path) + " cannot be read");
    return {std::istreambuf_iterator<char>(file), {}};
}

class Accelerator {
public:
    std::vector<char> memory = std::vector<char>(MEMORY);
    uint64_t cycles = 0;

    Accelerator() {
        dut_.maxi_awready = dut_.maxi_arready = 1;
        dut_.saxi_bready = dut_.saxi_rready = 1;
        dut_.RESETN = 0;
        for (uint32_t i = 0; i < RESET_CYCLES; i++) cycle();
        dut_.RESETN = 1;
        write(ENABLE_INTERRUPT, 1);
    }

    // Cycles from start to interrupt.
    uint64_t run() {
        write(START, 1);
        const uint64_t start = cycles;
        while (!dut_.irq) {
            cycle();
            if (cycles - start > PATIENCE) throw std::runtime_error("no interrupt comes");
        }
        const uint64_t taken = cycles - start;
        write(ACKNOWLEDGE, 1);
        while (dut_.irq) cycle();
        return taken;
    }

private:
    struct Burst {
        uint32_t address, beats;
    };
    Vdut dut_;
    std::deque<Burst> reads_, writes_;
    uint32_t responses_ = 0;

    // One clock cycle: each request is answered in the next one, a word a cycle.
    void cycle() {
        dut_.maxi_rvalid = !reads_.empty();
        if (!reads_.empty()) {
            std::memcpy(&dut_.maxi_rdata, &memory.at(reads_.front().address), WORD);
            dut_.maxi_rlast = reads_.front().beats == 1;
        }
        dut_.maxi_wready = !writes_.empty();
        dut_.maxi_bvalid = responses_ > 0;
        dut_.CLK = 0;
        dut_.eval();

        if (dut_.maxi_bvalid && dut_.maxi_bready) responses_--;
        if (dut_.maxi_rvalid && dut_.maxi_rready) advance(reads_);
        if (dut_.maxi_wvalid && dut_.maxi_wready) {
            for (uint32_t i = 0; i < WORD; i++)
                if (dut_.maxi_wstrb >> i & 1)
                    memory.at(writes_.front().address + i) = char(dut_.maxi_wdata >> 8 * i);
            if (advance(writes_)) responses_++;
        }
        if (dut_.maxi_arvalid) reads_.push_back({dut_.maxi_araddr, dut_.maxi_arlen + 1u});
        if (dut_.maxi_awvalid) writes_.push_back({dut_.maxi_awaddr, dut_.maxi_awlen + 1u});
        dut_.CLK = 1;
        dut_.eval();
        cycles++;
    }

    // Goes on by a beat; true where it was the last.
    static bool advance(std::deque<Burst>& bursts) {
        bursts.front().address += WORD;
        if (--bursts.front().beats > 0) return false;
        bursts.pop_front();
        return true;
    }

    // Returns after the edge that takes the data.
    void write(uint32_t address, uint32_t data) {
        dut_.saxi_awaddr = address;
        dut_.saxi_awvalid = 1;
        hand_over(dut_.saxi_awvalid, dut_.saxi_awready);
        dut_.saxi_wdata = data;
        dut_.saxi_wstrb = 15;
        dut_.saxi_wvalid = 1;
        hand_over(dut_.saxi_wvalid, dut_.saxi_wready);
    }

    void hand_over(CData& valid, const CData& ready) {
        const uint64_t start = cycles;
        for (bool taken = false; !taken;) {
            dut_.CLK = 0;
            dut_.eval();
            taken = ready;
            cycle();
            if (cycles - start > PATIENCE) throw std::runtime_error("a register takes nothing");
        }
        valid = 0;
    }
};

}  // namespace

int main(int argc, char** argv) try {
    if (argc != 10) throw std::runtime_error("9 arguments are legal");
    const std::vector<char> parameters = bytes_of(argv[1]), inputs = bytes_of(argv[3]);
    const size_t to = std::stoul(argv[4]), bytes_in = std::stoul(argv[5]);
    const size_t from = std::stoul(argv[7]), bytes_out = std::stoul(argv[8]);
    const double seconds = std::stod(argv[9]);

    Accelerator core;
    std::memcpy(&core.memory.at(std::stoul(argv[2])), parameters.data(), parameters.size());
    std::ofstream out(argv[6], std::ios::binary);
    uint64_t most = 0, runs = 0;
    bool first_pass = true;
    const auto start = std::chrono::steady_clock::now();
    double passed = 0;
    do {
        for (size_t at = 0; at < inputs.size(); at += bytes_in, runs++) {
            std::memcpy(&core.memory.at(to), &inputs[at], bytes_in);
            std::memset(&core.memory.at(from), 0, bytes_out);
            const uint64_t taken = core.run();
            most = std::max(most, taken);
            if (first_pass) out.write(&core.memory.at(from), std::streamsize(bytes_out));
        }
        first_pass = false;
        passed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    } while (passed < seconds);
    std::printf("{\"most\": %llu, \"interval\": %.1f, \"runs per second\": %.3f}\n",
                static_cast<unsigned long long>(most), double(core.cycles) / double(runs),
                double(runs) / passed);
} catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
