// SPDX-License-Identifier: MIT
// mlp_learn_network - the sequence, the engine and the softmax: what a sample goes through
//
//     m_axis = softmax(network(x)); then, where the sample is learned, masters' = update(masters)
//
// Golden model   model/learning/learner.py: Learner.predict, Learner.learn
// Stream         in: a sample, whose features are read by address; out: as mlp_learn_top
// Latency        as mlp_learn_sequence, mlp_learn_engine, mlp_learn_answer
// Wiring only. A list parameter has a 32-bit entry per layer, the first layer's in the low bits.

`default_nettype none

module mlp_learn_network #(
    parameter N_LAYERS                    = 2,      // linear layers, 1 .. 16
    parameter [32*(N_LAYERS+1)-1:0] N     = 96'h00000003_00000006_00000004, // inputs, then outputs
    parameter [32*N_LAYERS-1:0]     SET   = 64'h00000001_00000000,  // weight set of each layer
    parameter [32*N_LAYERS-1:0]     RELU  = 64'h00000000_00000001,  // 1 where a ReLU follows
    parameter [32*(N_LAYERS+1)-1:0] FRAC  = 96'h00000003_00000003_00000004, // of inputs, then outputs
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
    input  wire               clk,
    input  wire               rst,                  // synchronous, active high

    input  wire               begins,               // a sample
    input  wire               learn,                // that is learned,
    input  wire [7:0]         label,                // as this
    output wire [ADDR_W-1:0]  feature_addr,
    input  wire [LANES*8-1:0] feature_word,         // a cycle later
    input  wire [15:0]        lfsr,
    input  wire [2:0]         halvings,
    output wire               ready,                // a sample may begin
    output wire               idle,                 // none is under way
    output wire               done,                 // its last cycle

    output wire               m_axis_tvalid,
    input  wire               m_axis_tready,
    output wire               m_axis_tlast,
    output wire [7:0]         m_axis_tdata,
    output wire [7:0]         m_axis_tuser,

    input  wire               hosts,                // masters are addressed by the host
    input  wire [ADDR_W-1:0]  host_word,
    input  wire [ADDR_W-1:0]  host_row,
    input  wire [(LANES > 1 ? $clog2(LANES) : 1)-1:0] host_lane,
    input  wire               host_weight,          // written
    input  wire               host_bias,
    input  wire [15:0]        host_data,
    output wire [LANES*16-1:0] masters,             // of the word, a cycle later
    output wire [15:0]        bias,

    input  wire               clear,                // all counts
    output wire [127:0]       counts                // {wrong, masters, deltas, activations}
);

    localparam integer CLASSES    = N[32*N_LAYERS +: 32];
    localparam integer LOGIT_FRAC = FRAC[32*N_LAYERS +: 32];

    wire answered, wrong, issue, backward, update, logit_valid, logit_last, error_valid;
    wire clamps_y, clamps_d;
    wire [LANES:0]     clamps_m;
    wire [7:0]         logit;
    wire [15:0]        error_d;
    wire [4:0]         place;
    wire [LAYER_W-1:0] layer;
    wire [ADDR_W-1:0]  x_count, d_count, word, row, d;

    mlp_learn_sequence #(
        .N_LAYERS(N_LAYERS), .N(N), .SET(SET), .LANES(LANES), .LAYER_W(LAYER_W), .ADDR_W(ADDR_W)
    ) u_sequence (
        .clk(clk), .rst(rst), .in_valid(begins), .in_ready(ready), .in_learn(learn),
        .answered(answered), .x_count(x_count), .d_count(d_count), .out_idle(idle),
        .out_valid(issue), .out_backward(backward), .out_update(update), .out_layer(layer),
        .out_place(place), .out_word(word), .out_row(row), .out_x(feature_addr), .out_d(d), .out_done(done)
    );

    mlp_learn_engine #(
        .N_LAYERS(N_LAYERS), .N(N), .RELU(RELU), .FRAC(FRAC), .LANES(LANES), .FRAC_MIN(FRAC_MIN),
        .SHIFT_MIN(SHIFT_MIN), .SHIFT_MAX(SHIFT_MAX), .DROP_MIN(DROP_MIN), .DROP_MAX(DROP_MAX),
        .ACC_W(ACC_W), .SUM_W(SUM_W), .WORDS(WORDS), .ROWS(ROWS), .X_WORDS(X_WORDS),
        .DELTAS(DELTAS), .LAYER_W(LAYER_W), .ADDR_W(ADDR_W)
    ) u_engine (
        .clk(clk), .rst(rst), .begins(begins), .in_valid(issue), .in_backward(backward),
        .in_update(update), .in_layer(layer), .in_place(place), .in_word(hosts ? host_word : word),
        .in_row(hosts ? host_row : row), .in_x(feature_addr), .in_d(d), .x_count(x_count), .d_count(d_count),
        .feature_word(feature_word), .lfsr(lfsr), .halvings(halvings),
        .logit_valid(logit_valid), .logit_last(logit_last), .logit(logit),
        .error_valid(error_valid), .error_d(error_d), .host_weight(host_weight),
        .host_bias(host_bias), .host_lane(host_lane), .host_data(host_data), .masters(masters),
        .bias(bias), .clamps_y(clamps_y), .clamps_d(clamps_d), .clamps_m(clamps_m)
    );

    mlp_learn_answer #(
        .N(CLASSES), .LOGIT_FRAC(LOGIT_FRAC), .SCORE(SCORE), .DIVIDER(DIVIDER), .SCORE_W(SCORE_W),
        .TOTAL_W(TOTAL_W), .MEM_DIR(MEM_DIR)
    ) u_answer (
        .clk(clk), .rst(rst), .in_valid(logit_valid), .in_last(logit_last), .in_logit(logit),
        .learn(learn), .label(label), .answered(answered), .wrong(wrong),
        .d_valid(error_valid), .d(error_d),
        .m_axis_tvalid(m_axis_tvalid), .m_axis_tready(m_axis_tready), .m_axis_tlast(m_axis_tlast),
        .m_axis_tdata(m_axis_tdata), .m_axis_tuser(m_axis_tuser)
    );

    mlp_learn_counts #(.LANES(LANES)) u_counts (
        .clk(clk), .clear(clear), .in_activation(clamps_y), .in_delta(clamps_d),
        .in_masters(clamps_m), .in_wrong(wrong), .activations(counts[31:0]),
        .deltas(counts[63:32]), .masters(counts[95:64]), .wrong(counts[127:96])
    );

endmodule

`default_nettype wire
