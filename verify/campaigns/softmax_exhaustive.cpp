// Streams int8 logit triples through mlp_softmax, one a cycle, and checks what every one becomes.
//
//     harness SCORE DIVIDER FRAC EXP_IMAGE VECTORS SEED
//
// VECTORS = 0 is all 2^24 of them, else so many at random. Everything expected is computed here,
// from the definitions; of the project's files only the image that the hardware reads is read too.
// Prints "progress N" now and then and one JSON object at the end; the first broken promise ends it
// with a sentence and status 1.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "Vdut.h"
#include "verilated.h"

namespace {

constexpr uint64_t ALL = uint64_t{1} << 24;
constexpr int CLASSES = 3;
constexpr int BINS_PER_LSB = 16, MOST_LSB = 256, BINS = 2 * MOST_LSB * BINS_PER_LSB;
constexpr uint64_t PATIENCE = 1000;      // cycles without a result

using Logits = std::array<int, CLASSES>;

struct Job {
    bool exponential, exact;
    int frac;
    std::vector<uint32_t> table;
    uint64_t vectors, seed;
    bool random;
};

// Vector `index` of the job as the 24 bits that enter the DUT.
uint32_t packed(const Job& job, uint64_t index) {
    if (!job.random) return static_cast<uint32_t>(index);
    uint64_t z = (job.seed + index + 1) * 0x9e3779b97f4a7c15u;      // splitmix64
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return static_cast<uint32_t>(z ^ (z >> 31)) & (ALL - 1);
}

[[noreturn]] void broken(const Logits& q, const std::array<int, CLASSES>& p, const char* promise) {
    std::fprintf(stderr, "logits %d %d %d became %d %d %d: %s\n",
                 q[0], q[1], q[2], p[0], p[1], p[2], promise);
    std::exit(1);
}

// Distance of the probabilities from the real softmax, in LSB.
struct Errors {
    std::vector<uint64_t> counts = std::vector<uint64_t>(BINS);
    double least = 0, most = 0;

    void note(double error) {
        least = std::fmin(least, error);
        most = std::fmax(most, error);
        counts[static_cast<size_t>(std::floor((error + MOST_LSB) * BINS_PER_LSB))]++;
    }

    void print(const char* name) const {
        std::printf(",\"%s\":{\"least\":%.6f,\"most\":%.6f,\"counts\":{", name, least, most);
        const char* comma = "";
        for (int bin = 0; bin < BINS; bin++)
            if (counts[bin]) {
                std::printf("%s\"%d\":%llu", comma, bin - BINS / 2, (unsigned long long)counts[bin]);
                comma = ",";
            }
        std::printf("}}");
    }
};

struct Checker {
    const Job& job;
    uint64_t checked = 0, losers_below = 0;
    Errors losers, winners;
    std::array<double, 256> real;        // exp(-d / 2^frac)

    explicit Checker(const Job& j) : job(j) {
        for (int d = 0; d < 256; d++) real[d] = std::exp(-std::ldexp(double(d), -job.frac));
    }

    void check(uint32_t out, unsigned out_class) {
        const uint32_t bits = packed(job, checked);
        Logits q;
        std::array<int, CLASSES> p;
        std::array<int64_t, CLASSES> n;
        for (int k = 0; k < CLASSES; k++) {
            q[k] = static_cast<int8_t>(bits >> (8 * k));
            p[k] = static_cast<uint8_t>(out >> (8 * k));
        }
        const int top = std::max(q[0], std::max(q[1], q[2]));
        int64_t total = 0;
        int best = 0;
        for (int k = 0; k < CLASSES; k++) {
            const int64_t one = int64_t{1} << job.frac, root = q[k] + one;
            n[k] = job.exponential ? job.table[top - q[k]] : root * root + one * one;
            total += n[k];
            if (n[k] > n[best]) best = k;
        }
        if (int(out_class) != best) broken(q, p, "the winner is the first of the largest score");
        if (p[0] + p[1] + p[2] != 255) broken(q, p, "the sum is 255");
        double sum = 0;
        for (int k = 0; k < CLASSES; k++) sum += real[top - q[k]];
        for (int k = 0; k < CLASSES; k++) {
            const double error = p[k] - 255 * real[top - q[k]] / sum;
            if (k == best) {
                winners.note(error);
                continue;
            }
            losers.note(error);
            const int64_t below = 255 * n[k] / total - p[k];
            if (job.exact && below != 0) broken(q, p, "a loser has exactly floor(255 n / S)");
            if (below < 0 || below > 1) broken(q, p, "a loser is at most 1 below floor(255 n / S)");
            losers_below += below;
            if (p[k] > p[best]) broken(q, p, "no loser is above the winner");
            if (n[k] < n[best] && p[k] == p[best]) broken(q, p, "no smaller score ties the winner");
        }
        checked++;
    }
};

std::vector<uint32_t> read_table(const char* path, int frac) {
    std::ifstream file(path);
    std::vector<uint32_t> table;
    for (std::string word; file >> word;) table.push_back(std::stoul(word, nullptr, 16));
    bool right = table.size() == 256;
    for (size_t d = 0; right && d < table.size(); d++)
        right = table[d] == std::ceil(65535 * std::exp(-std::ldexp((long double)d, -frac)));
    if (!right) {
        std::fprintf(stderr, "%s: is not ceil(65535 exp(-d / 2^%d)) for d = 0 .. 255\n", path, frac);
        std::exit(1);
    }
    return table;
}

void clock(Vdut& dut) {
    dut.clk = 0;
    dut.eval();
    dut.clk = 1;
    dut.eval();
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 7) return 2;
    Job job{};
    job.exponential = !std::strcmp(argv[1], "exp");
    job.exact = !std::strcmp(argv[2], "restoring");
    job.frac = std::atoi(argv[3]);
    if (job.exponential) job.table = read_table(argv[4], job.frac);
    job.vectors = std::strtoull(argv[5], nullptr, 10);
    job.random = job.vectors > 0;
    if (!job.random) job.vectors = ALL;
    job.seed = std::strtoull(argv[6], nullptr, 10);

    Vdut dut;
    dut.in_valid = 0;
    dut.in_x = 0;
    dut.out_ready = 1;
    dut.rst = 1;
    for (int i = 0; i < 4; i++) clock(dut);
    dut.rst = 0;

    Checker checker(job);
    uint64_t sent = 0, cycles = 0, silent = 0;
    while (checker.checked < job.vectors) {
        dut.in_valid = sent < job.vectors;
        dut.in_x = packed(job, sent);
        dut.clk = 0;
        dut.eval();
        sent += dut.in_valid && dut.in_ready;
        if (dut.out_valid) {
            if (checker.checked >= sent) {
                std::fprintf(stderr, "a result came before its logits\n");
                return 1;
            }
            checker.check(dut.out_p, dut.out_class);
            if (checker.checked % (ALL >> 6) == 0) {
                std::printf("progress %llu\n", (unsigned long long)checker.checked);
                std::fflush(stdout);
            }
            silent = 0;
        } else if (++silent > PATIENCE) {
            std::fprintf(stderr, "no result for %llu cycles\n", (unsigned long long)silent);
            return 1;
        }
        dut.clk = 1;
        dut.eval();
        cycles++;
    }
    for (uint64_t i = 0; i < PATIENCE; i++) {
        clock(dut);
        if (dut.out_valid) {
            std::fprintf(stderr, "a result came out of nowhere\n");
            return 1;
        }
    }
    std::printf("{\"checked\":%llu,\"cycles\":%llu,\"losers_below\":%llu",
                (unsigned long long)checker.checked, (unsigned long long)cycles,
                (unsigned long long)checker.losers_below);
    checker.losers.print("losers");
    checker.winners.print("winners");
    std::printf("}\n");
    return 0;
}
