// SPDX-License-Identifier: MIT
// mlp_board - a whole network behind a serial line: samples in, classes and results out
//
// Golden model   boards/protocol.py around model/reference.py: predict
// Stream         rx and tx: frames of RFC 1055 (SLIP) at 8N1, one answer for each request
// Throughput     one request at a time; what arrives before its answer has left is dropped
//
// Wiring only. All parameters but CYCLES and ID are those of mlp_top.

`default_nettype none

module mlp_board #(
    parameter CYCLES                    = 104,          // clock cycles of a bit on the line
    parameter [31:0] ID                 = 32'd0,        // of the network: what the host asks for
    parameter LATENCY                   = 100,          // of the core: cycles to a result
    parameter N_LAYERS                  = 1,
    parameter [32*(N_LAYERS+1)-1:0] N   = 64'h00000003_00000004,
    parameter [32*(N_LAYERS+1)-1:0] X_W = 64'h00000008_00000008,
    parameter [32*N_LAYERS-1:0] W_W     = 32'd8,
    parameter [32*N_LAYERS-1:0] ACC_W   = 32'd20,
    parameter [32*N_LAYERS-1:0] SHIFT   = 32'd7,
    parameter [32*N_LAYERS-1:0] RELU    = 32'd0,
    parameter [32*N_LAYERS-1:0] TABLE_W = {N_LAYERS{32'd0}},
    parameter [32*N_LAYERS-1:0] SIMD    = 32'd1,
    parameter [32*N_LAYERS-1:0] PE      = 32'd1,
    parameter OUTPUT                    = "softmax",
    parameter LOGIT_FRAC                = 4,
    parameter SCORE                     = "taylor2",
    parameter DIVIDER                   = "reciprocal",
    parameter SCORE_W                   = 15,
    parameter TOTAL_W                   = 17,
    parameter SOFTMAX_LANES             = 1,
    parameter ARGMAX                    = 0,
    parameter IN_LANES                  = 1,            // 1: the line brings a feature at a time
    parameter MEMORY                    = 0,
    parameter OUT_LANES                 = 1,            // 1: and takes a value at a time
    parameter LOADABLE                  = 0,
    parameter MEM_DIR                   = ""
) (
    input  wire clk,
    input  wire rst,                    // synchronous, active high
    input  wire rx,
    output wire tx
);

    localparam integer FEATURES  = N[31:0];
    localparam integer LOGITS    = N[32*N_LAYERS +: 32];
    localparam integer FEATURE_W = 8 * ((X_W[31:0] + 7) / 8);
    localparam integer LOGIT_W   = 8 * ((X_W[32*N_LAYERS +: 32] + 7) / 8);
    localparam integer CLASS_W   = LOGITS > 128 ? 16 : 8;
    localparam         NAME      = {64'd0, OUTPUT};     // else as wide as its characters
    localparam integer RESULTS   = NAME == "argmax" ? 1 : LOGITS;
    localparam integer RESULT_W  = NAME == "argmax" ? CLASS_W : NAME == "logits" ? LOGIT_W : 8;

    wire       rx_valid;
    wire [7:0] rx_data;

    mlp_uart_rx #(.CYCLES(CYCLES)) u_rx (
        .clk(clk), .rst(rst), .rx(rx), .out_valid(rx_valid), .out_data(rx_data)
    );

    wire       byte_valid, byte_end, byte_bad;
    wire [7:0] byte_data;

    mlp_slip_decode u_decode (
        .clk(clk), .rst(rst),
        .in_valid(rx_valid), .in_data(rx_data),
        .out_valid(byte_valid), .out_end(byte_end), .out_bad(byte_bad), .out_data(byte_data)
    );

    wire                 x_valid, x_ready, x_last;
    wire [FEATURE_W-1:0] x_data;
    wire                 answer_valid, answer_ready;
    wire [7:0]           answer_status, answer_tag;
    wire [15:0]          answer_digest;
    wire                 busy, core_rst, early, expired, p_valid;

    mlp_link_guard #(.LATENCY(LATENCY)) u_guard (
        .clk(clk), .rst(rst), .busy(busy), .fed(x_valid && x_ready), .p_valid(p_valid),
        .core_rst(core_rst), .early(early), .expired(expired)
    );

    mlp_link_request #(.N(FEATURES), .W(FEATURE_W)) u_request (
        .clk(clk), .rst(rst),
        .in_valid(byte_valid), .in_end(byte_end), .in_bad(byte_bad), .in_data(byte_data),
        .core_rst(core_rst), .expired(expired),
        .x_valid(x_valid), .x_ready(x_ready), .x_last(x_last), .x_data(x_data),
        .busy(busy), .answer_valid(answer_valid), .answer_ready(answer_ready),
        .answer_status(answer_status), .answer_tag(answer_tag), .answer_digest(answer_digest)
    );

    wire                p_ready, p_last;
    wire [RESULT_W-1:0] p_data;
    wire [CLASS_W-1:0]  p_class;
    wire [2:0]          load_unused;
    wire                unused = &{1'b0, p_last, load_unused};

    mlp_top #(
        .N_LAYERS(N_LAYERS), .N(N), .X_W(X_W), .W_W(W_W), .ACC_W(ACC_W), .SHIFT(SHIFT),
        .RELU(RELU), .TABLE_W(TABLE_W), .SIMD(SIMD), .PE(PE), .OUTPUT(OUTPUT),
        .LOGIT_FRAC(LOGIT_FRAC), .SCORE(SCORE), .DIVIDER(DIVIDER), .SCORE_W(SCORE_W),
        .TOTAL_W(TOTAL_W), .SOFTMAX_LANES(SOFTMAX_LANES), .ARGMAX(ARGMAX),
        .IN_LANES(IN_LANES), .MEMORY(MEMORY), .OUT_LANES(OUT_LANES), .LOADABLE(LOADABLE),
        .MEM_DIR(MEM_DIR)
    ) u_top (
        .clk(clk), .rst(core_rst),
        .s_axis_tvalid(x_valid), .s_axis_tready(x_ready), .s_axis_tlast(x_last),
        .s_axis_tdata(x_data),
        .m_axis_tvalid(p_valid), .m_axis_tready(p_ready), .m_axis_tlast(p_last),
        .m_axis_tdata(p_data), .m_axis_tuser(p_class),
        .s_load_tvalid(1'b0), .s_load_tready(load_unused[0]), .s_load_tlast(1'b0),
        .s_load_tdata(8'd0), .load_done(load_unused[1]), .load_refused(load_unused[2])
    );

    wire               b_valid, b_ready;
    wire [7:0]         b_data;
    wire [CLASS_W-1:0] b_class;

    mlp_link_bytes #(.W(RESULT_W), .CLASS_W(CLASS_W)) u_bytes (
        .clk(clk), .rst(core_rst),
        .in_valid(p_valid), .in_ready(p_ready), .in_data(p_data), .in_class(p_class),
        .out_valid(b_valid), .out_ready(b_ready), .out_data(b_data), .out_class(b_class)
    );

    wire       reply_valid, reply_ready, reply_last;
    wire [7:0] reply_data;

    mlp_link_reply #(.N(RESULTS*RESULT_W/8), .CLASS_W(CLASS_W), .ID(ID)) u_reply (
        .clk(clk), .rst(rst),
        .answer_valid(answer_valid), .answer_ready(answer_ready),
        .answer_status(answer_status), .answer_tag(answer_tag), .answer_digest(answer_digest),
        .early(early), .expired(expired),
        .p_valid(b_valid), .p_ready(b_ready), .p_data(b_data), .p_class(b_class),
        .out_valid(reply_valid), .out_ready(reply_ready), .out_last(reply_last),
        .out_data(reply_data)
    );

    wire       tx_valid, tx_ready;
    wire [7:0] tx_data;

    mlp_slip_encode u_encode (
        .clk(clk), .rst(rst),
        .in_valid(reply_valid), .in_ready(reply_ready), .in_last(reply_last), .in_data(reply_data),
        .out_valid(tx_valid), .out_ready(tx_ready), .out_data(tx_data)
    );

    mlp_uart_tx #(.CYCLES(CYCLES)) u_tx (
        .clk(clk), .rst(rst), .in_valid(tx_valid), .in_ready(tx_ready), .in_data(tx_data), .tx(tx)
    );

    initial begin
        if (IN_LANES != 1 || OUT_LANES != 1) begin
            $display("%m: IN_LANES is %0d, OUT_LANES is %0d: need 1", IN_LANES, OUT_LANES);
            $finish;
        end
    end

endmodule

`default_nettype wire
