// An integer network from its contract alone: docs/numerics.md, in C++, for the inputs of a range.
//
// Input `n` is the sample whose feature `k` is byte `k` of `n`, the lowest first, as a signed code.
// Shares nothing with model/, rtl/ or the simulators: of the project it gets integers of a network
// and the fracs between its layers. Sums must fit into 32 bits.

#include <cstdint>

#include "../side_by_side.h"

namespace {

constexpr int MOST = 64, SAMPLES = 64;       // values of a layer, samples side by side
constexpr int INPUTS = 4, ONE = 255;
constexpr int ADDRESS_W = 8, ENTRY_W = 16;   // of the table of reciprocals

// Codes [value][sample].
using Values = int16_t[MOST][SAMPLES];

// Weights are [n_out][n_in].
struct Layer {
    int32_t n_in, n_out, shift, relu;
    const int16_t* weights;
    const int32_t* biases;
};

// Half to even, then cut off at the ends of 8 bits.
inline int32_t requantize(int32_t sum, int32_t shift) {
    const int32_t step = int32_t{1} << shift, floor = sum >> shift;
    const int32_t half_steps = 2 * (sum - floor * step);
    const int32_t rounded = floor + (half_steps > step) + (half_steps == step && floor & 1);
    return rounded < -128 ? -128 : rounded > 127 ? 127 : rounded;
}

// A layer of samples side by side, which a compiler brings into vectors.
SIDE_BY_SIDE void linear(const Layer& layer, const Values& x, Values& y) {
    for (int32_t k = 0; k < layer.n_out; k++) {
        int32_t sums[SAMPLES];
        for (int s = 0; s < SAMPLES; s++) sums[s] = layer.biases[k];
        for (int32_t i = 0; i < layer.n_in; i++) {
            const int32_t weight = layer.weights[k * layer.n_in + i];
            for (int s = 0; s < SAMPLES; s++) sums[s] += weight * x[i][s];
        }
        const int32_t least = layer.relu ? 0 : -128;
        for (int s = 0; s < SAMPLES; s++) {
            const int32_t q = requantize(sums[s], layer.shift);
            y[k][s] = q < least ? least : q;
        }
    }
}

// 1 + x + x^2/2 as an integer, 2^(2 frac + 1) times as large.
int64_t score(int64_t logit, int frac) {
    const int64_t one = int64_t{1} << frac;
    return 2 * one * one + 2 * one * logit + logit * logit;
}

// At most floor(255 n / total), by the entry of the 8 bits behind the leading one of the total.
int64_t quotient(int64_t n, int64_t total) {
    int leading = 0;
    while (total >> (leading + 1)) leading++;
    int64_t mantissa = 0;                    // the leading one and the 8 bits behind it
    for (int bit = 0; bit <= ADDRESS_W; bit++)
        mantissa = 2 * mantissa + (leading >= bit ? (total >> (leading - bit)) & 1 : 0);
    const int64_t entry = (int64_t{ONE} << ENTRY_W) / (mantissa + 1);
    return n * entry / (int64_t{1} << (leading + ENTRY_W - ADDRESS_W));
}

int softmax(const Values& logits, int s, int n, int frac, uint8_t* bytes) {
    int64_t scores[MOST], total = 0;
    int winner = 0, rest = ONE;
    for (int k = 0; k < n; k++) {
        scores[k] = score(logits[k][s], frac);
        total += scores[k];
        if (scores[k] > scores[winner]) winner = k;
    }
    for (int k = 0; k < n; k++) {
        if (k == winner) continue;
        bytes[k] = quotient(scores[k], total);
        rest -= bytes[k];
    }
    bytes[winner] = rest;
    return winner;
}

}  // namespace

// Classes [count] and bytes [count][n] of the inputs from `first` on.
extern "C" void verbatim_inputs(const Layer* layers, int32_t n_layers, int32_t frac,
                                uint32_t first, uint32_t count, uint8_t* classes,
                                uint8_t* bytes) {
    const int n = layers[n_layers - 1].n_out;
    for (uint32_t at = 0; at < count; at += SAMPLES) {
        Values values[2];
        for (int k = 0; k < INPUTS; k++)
            for (int s = 0; s < SAMPLES; s++)
                values[0][k][s] = static_cast<int8_t>((first + at + s) >> (8 * k));
        for (int32_t k = 0; k < n_layers; k++) linear(layers[k], values[k % 2], values[(k + 1) % 2]);
        for (int s = 0; s < SAMPLES && at + s < count; s++)
            classes[at + s] = softmax(values[n_layers % 2], s, n, frac, bytes + (at + s) * n);
    }
}
