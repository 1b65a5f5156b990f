// SPDX-License-Identifier: MIT
// mlp_learn_top - a network that learns, between AXI4-Streams
//
//     m_axis = softmax(network(s_axis)); then, where the sample says so, its label is learned
//
// Golden model   model/learning/learner.py: Learner; parameters from model/learning/core.py: Core.parameters
// Stream         in: N[0] features, a byte each; tuser of the last one = {learn, label};
//                out: N[N_LAYERS] probability bytes, tuser is the class, predicted before it is learned
//                s_load, m_save: 16-bit masters, set by set, row by row, bias last; then lfsr, word,
//                index, epoch, position; start and save are asked for by a beat of their own
//                m_order: the index of the sample that the epoch wants next
//                counts: since the last start or load, 32 bits each, of samples learned whose class
//                was wrong, of masters, deltas and activations that saturated
// Latency        Core.answer_cycles + 1 to the probabilities, Core.cycles from sample to sample
// Wiring only. A list parameter has a 32-bit entry per layer, the first layer's in the low bits.

`default_nettype none

module mlp_learn_top #(
    parameter N_LAYERS                    = 2,      // linear layers, 1 .. 16
    parameter [32*(N_LAYERS+1)-1:0] N     = 96'h00000003_00000006_00000004, // inputs, then outputs
    parameter [32*N_LAYERS-1:0]     SET   = 64'h00000001_00000000,  // weight set of each layer
    parameter [32*N_LAYERS-1:0]     RELU  = 64'h00000000_00000001,  // 1 where a ReLU follows
    parameter [32*(N_LAYERS+1)-1:0] FRAC  = 96'h00000003_00000003_00000004, // of inputs, then outputs
    parameter [32*N_LAYERS-1:0]     RANGE = 64'h00000002_00000001,  // weights start in +-2^-range
    parameter N_DROPS                     = 4,      // times that the rate may be halved, 1 .. 7
    parameter LANES                       = 2,      // multipliers, 1 .. 256
    parameter LAYER_W                     = 1,      // bits of a layer's number
    parameter ADDR_W                      = 5,      // of each address and count
    parameter WORDS                       = 21,     // words of LANES masters
    parameter ROWS                        = 9,      // biases
    parameter X_WORDS                     = 3,      // words of inputs, those of the first layer left out
    parameter DELTAS                      = 9,      // outputs of all layers
    parameter FRAC_MIN                    = 3,      // least fraction bits of inputs
    parameter SHIFT_MIN                   = 6,      // fraction bits that outputs drop, least
    parameter SHIFT_MAX                   = 7,      // and most
    parameter DROP_MIN                    = 6,      // fraction bits that an update drops, least
    parameter DROP_MAX                    = 11,     // and most
    parameter ACC_W                       = 19,     // signed width of forward's sums
    parameter SUM_W                       = 27,     // of backward's
    parameter SCORE                       = "exp",  // softmax score: "taylor2" or "exp"
    parameter DIVIDER                     = "reciprocal",   // softmax divider: or "restoring"
    parameter SCORE_W                     = 16,     // unsigned softmax score width
    parameter TOTAL_W                     = 18,     // unsigned width of the scores' sum
    parameter MEM_DIR                     = ""      // folder of the ROM images
) (
    input  wire                  clk,
    input  wire                  rst,               // synchronous, active high: no network
    input  wire [15:0]           samples,           // of an epoch; constant
    input  wire [16*N_DROPS-1:0] thresholds,        // epochs from which on the rate is halved; constant

    input  wire                  s_axis_tvalid,
    output wire                  s_axis_tready,
    input  wire                  s_axis_tlast,
    input  wire [7:0]            s_axis_tdata,
    input  wire [8:0]            s_axis_tuser,
    output wire                  m_axis_tvalid,
    input  wire                  m_axis_tready,
    output wire                  m_axis_tlast,
    output wire [7:0]            m_axis_tdata,
    output wire [7:0]            m_axis_tuser,
    output wire                  m_order_tvalid,
    input  wire                  m_order_tready,
    output wire                  m_order_tlast,
    output wire [15:0]           m_order_tdata,
    input  wire                  s_start_tvalid,
    output wire                  s_start_tready,
    input  wire [15:0]           s_start_tdata,     // seed
    input  wire                  s_load_tvalid,
    output wire                  s_load_tready,
    input  wire                  s_load_tlast,
    input  wire [15:0]           s_load_tdata,
    input  wire                  s_save_tvalid,
    output wire                  s_save_tready,
    output wire                  m_save_tvalid,
    input  wire                  m_save_tready,
    output wire                  m_save_tlast,
    output wire [15:0]           m_save_tdata,

    output wire                  has_network,       // started or loaded
    output wire [15:0]           epoch,
    output wire [127:0]          counts             // {wrong, masters, deltas, activations}
);

    localparam integer FEATURES = N[31:0];
    localparam integer CLASSES  = N[32*N_LAYERS +: 32];

    wire sample, learn, begins, ready, idle, done, free, may_learn, hosts, write_weight, write_bias;
    wire [7:0]          label;
    wire [15:0]         lfsr, write_data, bias;
    wire [2:0]          halvings;
    wire [(LANES > 1 ? $clog2(LANES) : 1)-1:0] lane;
    wire [ADDR_W-1:0]   feature_addr, host_word, host_row;
    wire [LANES*8-1:0]  feature_word;
    wire [LANES*16-1:0] masters;

    assign begins = sample && ready && free && (!learn || may_learn);

    mlp_learn_input #(.N(FEATURES), .CLASSES(CLASSES), .LANES(LANES), .ADDR_W(ADDR_W)) u_input (
        .clk(clk), .rst(rst), .in_valid(s_axis_tvalid), .in_ready(s_axis_tready),
        .in_last(s_axis_tlast), .in_x(s_axis_tdata), .in_user(s_axis_tuser), .out_valid(sample),
        .out_free(done), .out_learn(learn), .out_label(label), .addr(feature_addr), .word(feature_word)
    );

    mlp_learn_network #(
        .N_LAYERS(N_LAYERS), .N(N), .SET(SET), .RELU(RELU), .FRAC(FRAC), .LANES(LANES),
        .LAYER_W(LAYER_W), .ADDR_W(ADDR_W), .WORDS(WORDS), .ROWS(ROWS), .X_WORDS(X_WORDS),
        .DELTAS(DELTAS), .FRAC_MIN(FRAC_MIN), .SHIFT_MIN(SHIFT_MIN), .SHIFT_MAX(SHIFT_MAX),
        .DROP_MIN(DROP_MIN), .DROP_MAX(DROP_MAX), .ACC_W(ACC_W), .SUM_W(SUM_W), .SCORE(SCORE),
        .DIVIDER(DIVIDER), .SCORE_W(SCORE_W), .TOTAL_W(TOTAL_W), .MEM_DIR(MEM_DIR)
    ) u_network (
        .clk(clk), .rst(rst), .begins(begins), .learn(learn), .label(label),
        .feature_addr(feature_addr), .feature_word(feature_word), .lfsr(lfsr),
        .halvings(halvings), .ready(ready), .idle(idle), .done(done),
        .m_axis_tvalid(m_axis_tvalid), .m_axis_tready(m_axis_tready), .m_axis_tlast(m_axis_tlast),
        .m_axis_tdata(m_axis_tdata), .m_axis_tuser(m_axis_tuser),
        .hosts(hosts), .host_word(host_word), .host_row(host_row), .host_lane(lane),
        .host_weight(write_weight), .host_bias(write_bias), .host_data(write_data),
        .masters(masters), .bias(bias), .clear(!has_network), .counts(counts)
    );

    mlp_learn_host #(
        .N_LAYERS(N_LAYERS), .N(N), .SET(SET), .RANGE(RANGE), .N_DROPS(N_DROPS), .LANES(LANES),
        .LAYER_W(LAYER_W), .ADDR_W(ADDR_W)
    ) u_host (
        .clk(clk), .rst(rst), .samples(samples), .thresholds(thresholds),
        .start_valid(s_start_tvalid), .start_ready(s_start_tready), .start_seed(s_start_tdata),
        .load_valid(s_load_tvalid), .load_ready(s_load_tready), .load_last(s_load_tlast),
        .load_data(s_load_tdata), .save_valid(s_save_tvalid), .save_ready(s_save_tready),
        .word_valid(m_save_tvalid), .word_ready(m_save_tready), .word_last(m_save_tlast),
        .word_data(m_save_tdata), .order_valid(m_order_tvalid), .order_ready(m_order_tready),
        .order_last(m_order_tlast), .order_index(m_order_tdata), .idle(idle),
        .learns(begins && learn), .free(free), .may_learn(may_learn), .has_network(has_network),
        .lfsr(lfsr), .epoch(epoch), .halvings(halvings), .hosts(hosts), .word_addr(host_word),
        .row_addr(host_row), .lane(lane), .write_weight(write_weight), .write_bias(write_bias),
        .write_data(write_data), .masters(masters), .bias_master(bias)
    );

endmodule

`default_nettype wire
