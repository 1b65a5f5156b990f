// Upsets of a circuit of ANDs and registers, 256 at a time: a lane of a word is a core of its own.
//
// In each lane a core is reset, gets a sample, and one of its registers is inverted in one cycle.
// Then it gets two more samples, is reset, and gets another one. Results are taken whenever they are
// offered. A core whose results are numbered ends a block behind each sample. A plain C interface for
// ctypes.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "../side_by_side.h"

namespace {

constexpr int WORDS = 4, LANES = 64 * WORDS;
// As a vector aligns its elements, which is less than a word of this size asks for.
typedef uint64_t Word __attribute__((vector_size(8 * WORDS), aligned(8)));

// What a core answered to one sample; the order is that of the names in upsets.py.
enum Outcome : uint8_t { MASKED, LATE, BYTES, CLASS, LOST, MORE, FRAME, HANG };
// Added to it where the core has said that the block is lost.
constexpr uint8_t NOTICED = 16;

}  // namespace

extern "C" {

// A literal is twice the place of a value, plus one where inverted; place 0 holds 0. Gates lie in an
// order in which each follows its operands, and may take a place whose value is read no more.
struct Circuit {
    uint32_t places, gates, registers, in_bits, out_bits, user_bits, index_bits;
    const uint32_t* gate;      // place, operand, operand
    const uint32_t* state;     // place of each register
    const uint32_t* next;      // literal of what each register becomes
    uint32_t reset, valid, last, out_ready;  // places of inputs
    const uint32_t* data;      // places of the bits of the input
    uint32_t ready, out_valid, out_last;     // literals
    uint32_t done, lost;                     // literals, 0 where results have no number
    const uint32_t* out_data;  // literals
    const uint32_t* out_user;  // literals
    const uint32_t* out_index; // literals
};

// Samples of so many beats; expected beats of data and class of each; cycles to wait for a result.
struct Samples {
    uint32_t beats_in, beats_out, wait;
    const uint32_t* in;        // [2][beats_in]
    const uint32_t* data;      // [2][beats_out]
    const uint32_t* user;      // [2][beats_out]
};
}

namespace {

constexpr uint32_t RESET_CYCLES = 2, MOST_BEATS = 64, PHASES = 4;
// Samples in their order; the last follows a reset.
constexpr uint32_t SAMPLE[PHASES] = {0, 1, 0, 1};

// Where nearly all of the time goes: in one step a gate where a processor has words of 256 bits.
SIDE_BY_SIDE void ands(Word* v, const uint32_t* gate, uint32_t gates) {
    for (const uint32_t *g = gate, *end = gate + 3 * gates; g != end; g += 3) {
        const Word a = v[g[1] >> 1], b = v[g[2] >> 1];
        v[g[0]] = (g[1] & 1 ? ~a : a) & (g[2] & 1 ? ~b : b);
    }
}

struct Beats {
    uint32_t count, time, data[MOST_BEATS], user[MOST_BEATS], last[MOST_BEATS];
    bool numbered[MOST_BEATS];  // by its place in its block
};

class Cores {
public:
    Cores(const Circuit& circuit, const Samples& samples)
        : c_(circuit), s_(samples), v_(circuit.places, Word{}), next_(circuit.registers),
          sent_(LANES), results_(LANES), beats_(LANES) {
        set(c_.out_ready, ~Word{});
        restart();
    }

    void restart() {
        set(c_.reset, ~Word{});
        set(c_.valid, Word{});
        for (uint32_t k = 0; k < RESET_CYCLES; k++) {
            settle();
            clock();
        }
        set(c_.reset, Word{});
        for (int lane = 0; lane < LANES; lane++) sent_[lane] = results_[lane] = 0;
        offered_.clear();
    }

    // From here on the beats of sample k are offered, behind those that wait.
    void offer(uint32_t k) {
        offered_.push_back(k);
        for (int lane = 0; lane < LANES; lane++) {
            beats_[lane].count = 0;
            drive(lane);
        }
        time_ = 0;
        done_ = lost_ = Word{};
        still_ = false;
    }

    void upset(uint32_t reg, int lane) {
        v_[c_.state[reg]][lane / 64] ^= uint64_t(1) << lane % 64;
    }

    void step() {
        settle();
        Word valid = value(c_.out_valid);
        for (int w = 0; w < WORDS; w++)
            for (uint64_t left = valid[w]; left; left &= left - 1)
                take(64 * w + __builtin_ctzll(left));
        Word moved = value(c_.ready) & v_[c_.valid];
        const Word done = value(c_.done);
        for (int w = 0; w < WORDS; w++)
            for (uint64_t left = done[w]; left; left &= left - 1)
                results_[64 * w + __builtin_ctzll(left)] = 0;
        done_ |= done;
        lost_ |= value(c_.lost);
        still_ = !any(clock() | valid | moved);
        for (int w = 0; w < WORDS; w++)
            for (uint64_t left = moved[w]; left; left &= left - 1) {
                int lane = 64 * w + __builtin_ctzll(left);
                sent_[lane]++;
                drive(lane);
            }
        time_++;
    }

    Outcome outcome(int lane, uint32_t k, uint32_t expected_time) const {
        const Beats& b = beats_[lane];
        if (sent_[lane] < due()) return HANG;
        if (b.count == 0) return LOST;
        if (b.count % s_.beats_out) return FRAME;
        bool bytes = true, user = true;
        for (uint32_t i = 0; i < b.count && i < MOST_BEATS; i++) {
            if (b.last[i] != (i % s_.beats_out + 1 == s_.beats_out)) return FRAME;
            if (!b.numbered[i]) return FRAME;
        }
        if (b.count > s_.beats_out) return MORE;
        for (uint32_t i = 0; i < s_.beats_out; i++) {
            bytes &= b.data[i] == s_.data[k * s_.beats_out + i];
            user &= b.user[i] == s_.user[k * s_.beats_out + i];
        }
        if (!user) return CLASS;
        if (!bytes) return BYTES;
        return b.time == expected_time ? MASKED : LATE;
    }

    uint32_t time() const { return time_; }

    uint32_t time_of(int lane) const { return beats_[lane].time; }

    bool noticed(int lane) const { return lost_[lane / 64] >> lane % 64 & 1; }

    // No lane does anything more until another sample is offered.
    bool still() const { return still_; }

    // Lanes that differ from lane 0, and may answer what follows otherwise.
    Word others() const {
        Word found{};
        for (uint32_t r = 0; r < c_.registers; r++) {
            const Word word = v_[c_.state[r]];
            found |= word[0] & 1 ? ~word : word;
        }
        for (int lane = 0; lane < LANES; lane++)
            if (sent_[lane] != sent_[0] || results_[lane] != results_[0])
                found[lane / 64] |= uint64_t(1) << lane % 64;
        return found;
    }

    // Every lane has ended a block since the sample was offered, and taken all of it.
    bool all_done() const {
        if (any(~done_)) return false;
        for (int lane = 0; lane < LANES; lane++)
            if (sent_[lane] < due()) return false;
        return true;
    }

private:
    const Circuit& c_;
    const Samples& s_;
    std::vector<Word> v_, next_;
    std::vector<uint32_t> sent_, results_, offered_;  // results: of the block
    std::vector<Beats> beats_;
    Word done_{}, lost_{};
    uint32_t time_ = 0;
    bool still_ = false;

    static bool any(Word word) {
        for (int w = 0; w < WORDS; w++)
            if (word[w]) return true;
        return false;
    }

    uint32_t due() const { return uint32_t(offered_.size()) * s_.beats_in; }

    void set(uint32_t node, Word value) { v_[node] = value; }

    Word value(uint32_t literal) const { return literal & 1 ? ~v_[literal >> 1] : v_[literal >> 1]; }

    void put(uint32_t node, int lane, bool bit) {
        uint64_t mask = uint64_t(1) << lane % 64, old = v_[node][lane / 64];
        v_[node][lane / 64] = bit ? old | mask : old & ~mask;
    }

    void drive(int lane) {
        const bool left = sent_[lane] < due();
        put(c_.valid, lane, left);
        if (!left) return;
        const uint32_t k = offered_[sent_[lane] / s_.beats_in], beat = sent_[lane] % s_.beats_in;
        const uint32_t word = s_.in[k * s_.beats_in + beat];
        put(c_.last, lane, beat + 1 == s_.beats_in);
        for (uint32_t i = 0; i < c_.in_bits; i++) put(c_.data[i], lane, word >> i & 1);
    }

    void take(int lane) {
        Beats& b = beats_[lane];
        if (b.count < MOST_BEATS) {
            b.data[b.count] = bits(c_.out_data, c_.out_bits, lane);
            b.user[b.count] = bits(c_.out_user, c_.user_bits, lane);
            b.last[b.count] = value(c_.out_last)[lane / 64] >> lane % 64 & 1;
            const uint32_t place = results_[lane] & ((1u << c_.index_bits) - 1);
            b.numbered[b.count] = bits(c_.out_index, c_.index_bits, lane) == place;
            results_[lane] += b.last[b.count];
        }
        b.count++;
        b.time = time_;
    }

    uint32_t bits(const uint32_t* literals, uint32_t count, int lane) const {
        uint32_t word = 0;
        for (uint32_t i = 0; i < count; i++)
            word |= uint32_t(value(literals[i])[lane / 64] >> lane % 64 & 1) << i;
        return word;
    }

    void settle() { ands(v_.data(), c_.gate, c_.gates); }

    // Returns the lanes in which a register has changed.
    Word clock() {
        Word changed{};
        for (uint32_t r = 0; r < c_.registers; r++) next_[r] = value(c_.next[r]);
        for (uint32_t r = 0; r < c_.registers; r++) {
            changed |= v_[c_.state[r]] ^ next_[r];
            v_[c_.state[r]] = next_[r];
        }
        return changed;
    }
};

// Sends the samples of so many phases to cores that are as `start`, but for an inverted register of
// each from lane 1 on. Returns as the function below does; `others` are the lanes that differ from
// lane 0 in the end.
int answer(const Cores& start, const Samples& samples, const std::vector<uint32_t>& registers,
           const std::vector<uint8_t*>& outcomes, uint32_t phases, Word& others) {
    Cores cores = start;
    for (size_t r = 0; r < registers.size(); r++) cores.upset(registers[r], int(r) + 1);
    for (uint32_t phase = 0; phase < phases; phase++) {
        const uint32_t k = SAMPLE[phase];
        if (phase + 1 == PHASES) cores.restart();
        if (phase) cores.offer(k);
        do cores.step();
        while (cores.time() < samples.wait && !cores.still() && !cores.all_done());
        const uint32_t time = cores.time_of(0);
        if (cores.outcome(0, k, time) != MASKED || cores.noticed(0)) return int(phase) + 1;
        for (size_t r = 0; r < registers.size(); r++) {
            const int lane = int(r) + 1;
            const uint8_t noticed = cores.noticed(lane) ? NOTICED : 0;
            outcomes[r][phase] = uint8_t(cores.outcome(lane, k, time) + noticed);
        }
    }
    others = cores.others();
    return 0;
}

}  // namespace

// Inverts each of so many registers in the cycle `at` after the reset. `outcomes` has four a
// register, all 0 at first: of its sample, of the two behind it, and of the one after a reset. Lane 0
// has no upset. Returns 0, or one more than the number of the sample that it answers wrongly.
//
// After two samples nearly all cores are as one without an upset again, and answer as it does: only
// the others get two more.
extern "C" int verbatim_upsets(const Circuit* circuit, const Samples* samples, uint32_t count,
                               const uint32_t* registers, uint32_t at, uint8_t* outcomes) {
    Cores start(*circuit, *samples);
    start.offer(SAMPLE[0]);
    while (start.time() < at) start.step();
    std::vector<uint32_t> left(count), lasting;
    for (uint32_t r = 0; r < count; r++) left[r] = r;
    for (uint32_t phases : {2u, PHASES}) {
        // Once with no register as well: what lane 0 answers is looked at in each phase.
        for (size_t first = 0; first == 0 || first < left.size(); first += LANES - 1) {
            const size_t size = std::min(left.size() - first, size_t(LANES - 1));
            std::vector<uint32_t> group;
            std::vector<uint8_t*> found;
            for (size_t r = first; r < first + size; r++) {
                group.push_back(registers[left[r]]);
                found.push_back(outcomes + PHASES * left[r]);
            }
            Word others;
            if (int wrong = answer(start, *samples, group, found, phases, others)) return wrong;
            for (size_t r = 0; r < size; r++)
                if (others[(r + 1) / 64] >> (r + 1) % 64 & 1) lasting.push_back(left[first + r]);
        }
        left.swap(lasting);
        lasting.clear();
    }
    return 0;
}
