// SPDX-License-Identifier: MIT
// mlp_learn_board - a core that learns behind a serial line: samples, labels, seeds and states in
//
// Golden model   boards/lessons.py around model/learning/learner.py: Learner
// Stream         rx and tx: frames of RFC 1055 (SLIP) at 8N1, one answer for each request
// Throughput     one request at a time; what arrives before its answer has left is dropped
//
// Wiring only. Parameters from N_LAYERS on are those of mlp_learn_top.

`default_nettype none

module mlp_learn_board #(
    parameter CYCLES          = 104,    // clock cycles of a bit on the line
    parameter [31:0] ID       = 32'd0,  // of what is learned: what the host asks for
    parameter PATIENCE        = 4096,   // cycles that any request takes at most
    parameter SAMPLES         = 120,    // of an epoch
    parameter STATE           = 68,     // words of a load or save
    parameter CHUNK           = 32,     // words of it in a frame
    parameter N_LAYERS        = 2,
    parameter [32*(N_LAYERS+1)-1:0] N     = 96'h00000003_00000006_00000004,
    parameter [32*N_LAYERS-1:0]     SET   = 64'h00000001_00000000,
    parameter [32*N_LAYERS-1:0]     RELU  = 64'h00000000_00000001,
    parameter [32*(N_LAYERS+1)-1:0] FRAC  = 96'h00000003_00000003_00000004,
    parameter [32*N_LAYERS-1:0]     RANGE = 64'h00000002_00000001,
    parameter N_DROPS         = 4,
    parameter [32*N_DROPS-1:0] THRESHOLDS = 128'h0000005a_00000050_00000046_00000032,
    parameter LANES           = 2,
    parameter LAYER_W         = 1,
    parameter ADDR_W          = 5,
    parameter WORDS           = 21,
    parameter ROWS            = 9,
    parameter X_WORDS         = 3,
    parameter DELTAS          = 9,
    parameter FRAC_MIN        = 3,
    parameter SHIFT_MIN       = 6,
    parameter SHIFT_MAX       = 7,
    parameter DROP_MIN        = 6,
    parameter DROP_MAX        = 11,
    parameter ACC_W           = 19,
    parameter SUM_W           = 27,
    parameter SCORE           = "exp",
    parameter DIVIDER         = "reciprocal",
    parameter SCORE_W         = 16,
    parameter TOTAL_W         = 18,
    parameter MEM_DIR         = ""
) (
    input  wire clk,
    input  wire rst,                    // synchronous, active high
    input  wire rx,
    output wire tx
);

    localparam integer FEATURES = N[31:0];
    localparam integer CLASSES  = N[32*N_LAYERS +: 32];

    wire [16*N_DROPS-1:0] thresholds;
    wire        core_rst, has_network, wants, last_unused;
    wire        x_valid, x_ready, x_last, p_valid, p_ready, p_last, start_valid, start_ready;
    wire        load_valid, load_ready, load_last, save_valid, save_ready;
    wire        word_valid, word_ready, word_last;
    wire [7:0]  x_data, p_data, p_class;
    wire [8:0]  x_user;
    wire [15:0] number, load_data, word_data, index, epoch_unused;
    wire [127:0] counts_unused;

    genvar k;
    generate
        for (k = 0; k < N_DROPS; k = k + 1) begin : g_threshold
            assign thresholds[k*16 +: 16] = THRESHOLDS[k*32 +: 16];
        end
    endgenerate

    mlp_learn_line #(
        .CYCLES(CYCLES), .ID(ID), .PATIENCE(PATIENCE), .N(FEATURES), .CLASSES(CLASSES),
        .STATE(STATE), .CHUNK(CHUNK)
    ) u_line (
        .clk(clk), .rst(rst), .rx(rx), .tx(tx), .core_rst(core_rst), .has_network(has_network),
        .wants(wants), .index(index), .number(number),
        .x_valid(x_valid), .x_ready(x_ready), .x_last(x_last), .x_data(x_data), .x_user(x_user),
        .p_valid(p_valid), .p_ready(p_ready), .p_last(p_last), .p_data(p_data), .p_class(p_class),
        .start_valid(start_valid), .start_ready(start_ready),
        .load_valid(load_valid), .load_ready(load_ready), .load_last(load_last),
        .load_data(load_data), .save_valid(save_valid), .save_ready(save_ready),
        .word_valid(word_valid), .word_ready(word_ready), .word_last(word_last),
        .word_data(word_data)
    );

    mlp_learn_top #(
        .N_LAYERS(N_LAYERS), .N(N), .SET(SET), .RELU(RELU), .FRAC(FRAC), .RANGE(RANGE),
        .N_DROPS(N_DROPS), .LANES(LANES), .LAYER_W(LAYER_W), .ADDR_W(ADDR_W), .WORDS(WORDS),
        .ROWS(ROWS), .X_WORDS(X_WORDS), .DELTAS(DELTAS), .FRAC_MIN(FRAC_MIN),
        .SHIFT_MIN(SHIFT_MIN), .SHIFT_MAX(SHIFT_MAX), .DROP_MIN(DROP_MIN), .DROP_MAX(DROP_MAX),
        .ACC_W(ACC_W), .SUM_W(SUM_W), .SCORE(SCORE), .DIVIDER(DIVIDER), .SCORE_W(SCORE_W),
        .TOTAL_W(TOTAL_W), .MEM_DIR(MEM_DIR)
    ) u_top (
        .clk(clk), .rst(core_rst), .samples(SAMPLES[15:0]), .thresholds(thresholds),
        .s_axis_tvalid(x_valid), .s_axis_tready(x_ready), .s_axis_tlast(x_last),
        .s_axis_tdata(x_data), .s_axis_tuser(x_user),
        .m_axis_tvalid(p_valid), .m_axis_tready(p_ready), .m_axis_tlast(p_last),
        .m_axis_tdata(p_data), .m_axis_tuser(p_class),
        .m_order_tvalid(wants), .m_order_tready(1'b0), .m_order_tlast(last_unused),
        .m_order_tdata(index),
        .s_start_tvalid(start_valid), .s_start_tready(start_ready), .s_start_tdata(number),
        .s_load_tvalid(load_valid), .s_load_tready(load_ready), .s_load_tlast(load_last),
        .s_load_tdata(load_data), .s_save_tvalid(save_valid), .s_save_tready(save_ready),
        .m_save_tvalid(word_valid), .m_save_tready(word_ready), .m_save_tlast(word_last),
        .m_save_tdata(word_data), .has_network(has_network), .epoch(epoch_unused),
        .counts(counts_unused)
    );

endmodule

`default_nettype wire
