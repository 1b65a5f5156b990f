// Upsets of a circuit of ANDs and registers, 512 at a time: a lane of a word is a core of its own.
//
// In each lane a core is reset, gets a sample, and one of its registers is inverted in one cycle.
// Then it gets two more samples, is reset, and gets another one. Results are taken whenever they are
// offered. A core whose results are numbered ends a block behind each sample. A plain C interface for
// ctypes.

#include <cstdint>
#include <cstring>
#include <vector>

namespace {

constexpr int WORDS = 8, LANES = 64 * WORDS;
typedef uint64_t Word __attribute__((vector_size(8 * WORDS)));

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
        clock();
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

    uint32_t time_of(int lane) const { return beats_[lane].time; }

    bool noticed(int lane) const { return lost_[lane / 64] >> lane % 64 & 1; }

    // Every lane has ended a block since the sample was offered, and taken all of it.
    bool all_done() const {
        for (int w = 0; w < WORDS; w++)
            if (~done_[w]) return false;
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

    void settle() {
        const uint32_t* g = c_.gate;
        for (uint32_t i = 0; i < c_.gates; i++, g += 3) v_[g[0]] = value(g[1]) & value(g[2]);
    }

    void clock() {
        for (uint32_t r = 0; r < c_.registers; r++) next_[r] = value(c_.next[r]);
        for (uint32_t r = 0; r < c_.registers; r++) v_[c_.state[r]] = next_[r];
    }
};

}  // namespace

// Inverts each of `count` registers from `first` on in the cycle `at` after the reset. `outcomes`
// has four a register: of its sample, of the two behind it, and of the one after a reset. Lane 0 has
// no upset. Returns 0, or one more than the number of the sample that it answers wrongly.
extern "C" int verbatim_upsets(const Circuit* circuit, const Samples* samples, uint32_t first,
                               uint32_t count, uint32_t at, uint8_t* outcomes) {
    if (count >= LANES) return PHASES + 1;
    Cores cores(*circuit, *samples);
    for (uint32_t phase = 0; phase < PHASES; phase++) {
        const uint32_t k = SAMPLE[phase];
        if (phase + 1 == PHASES) cores.restart();
        cores.offer(k);
        for (uint32_t cycle = 0; cycle < samples->wait; cycle++) {
            if (phase == 0 && cycle == at)
                for (uint32_t r = 0; r < count; r++) cores.upset(first + r, int(r) + 1);
            cores.step();
            if (cycle > at && cores.all_done()) break;
        }
        const uint32_t time = cores.time_of(0);
        if (cores.outcome(0, k, time) != MASKED || cores.noticed(0)) return int(phase) + 1;
        for (uint32_t r = 0; r < count; r++) {
            const int lane = int(r) + 1;
            const uint8_t noticed = cores.noticed(lane) ? NOTICED : 0;
            outcomes[PHASES * r + phase] = uint8_t(cores.outcome(lane, k, time) + noticed);
        }
    }
    return 0;
}
