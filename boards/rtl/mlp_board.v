// SPDX-License-Identifier: MIT
// mlp_board - a whole network behind a serial line: samples in, classes and results out
//
// Golden model   boards/protocol.py around model/reference.py: predict
// Stream         rx and tx: frames of RFC 1055 (SLIP) at 8N1, one answer for each request or load
// Throughput     one at a time; what arrives before its answer has left is dropped
//
// Wiring only. Parameters from N_LAYERS on are those of mlp_top.

`default_nettype none

module mlp_board #(
    parameter CYCLES                    = 104,          // clock cycles of a bit on the line
    parameter [31:0] ID                 = 32'd0,        // of the network: what the host asks for
    parameter [31:0] CORE               = 32'd0,        // of its shape, formats and folds: LOADABLE
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

    wire       heard_valid, heard_end, heard_bad, reply_valid, reply_ready, reply_last;
    wire [7:0] heard_data, reply_data;

    mlp_link_line #(.CYCLES(CYCLES)) u_line (
        .clk(clk), .rst(rst), .rx(rx), .tx(tx),
        .heard_valid(heard_valid), .heard_end(heard_end), .heard_bad(heard_bad),
        .heard_data(heard_data), .said_valid(reply_valid), .said_ready(reply_ready),
        .said_last(reply_last), .said_data(reply_data)
    );

    wire                 x_valid, x_ready, x_last, p_valid;
    wire [FEATURE_W-1:0] x_data;
    wire                 byte_valid, asked_busy, asked_valid, asked_ready;
    wire [7:0]           asked_status, asked_tag;
    wire [15:0]          asked_digest;
    wire                 load_valid, load_ready, load_last, load_done, load_refused;
    wire [7:0]           load_data;
    wire                 busy, core_rst, early, expired, answer_valid, answer_ready;
    wire [7:0]           answer_status, answer_tag;
    wire [15:0]          answer_digest;
    wire [31:0]          id;

    mlp_link_guard #(.LATENCY(LATENCY)) u_guard (
        .clk(clk), .rst(rst), .busy(busy),
        .fed((x_valid && x_ready) || (load_valid && load_ready)), .p_valid(p_valid),
        .core_rst(core_rst), .early(early), .expired(expired)
    );

    mlp_link_load #(.LOADABLE(LOADABLE), .CORE(CORE), .ID(ID)) u_load (
        .clk(clk), .rst(rst), .in_valid(heard_valid), .in_end(heard_end), .in_bad(heard_bad),
        .in_data(heard_data), .out_valid(byte_valid), .asked_busy(asked_busy),
        .asked_valid(asked_valid), .asked_ready(asked_ready), .asked_status(asked_status),
        .asked_tag(asked_tag), .asked_digest(asked_digest), .core_rst(core_rst),
        .expired(expired), .load_valid(load_valid), .load_ready(load_ready),
        .load_last(load_last), .load_data(load_data), .load_done(load_done),
        .load_refused(load_refused), .id(id), .busy(busy), .answer_valid(answer_valid),
        .answer_ready(answer_ready), .answer_status(answer_status), .answer_tag(answer_tag),
        .answer_digest(answer_digest)
    );

    mlp_link_request #(.N(FEATURES), .W(FEATURE_W)) u_request (
        .clk(clk), .rst(rst), .in_valid(byte_valid), .in_end(heard_end), .in_bad(heard_bad),
        .in_data(heard_data), .core_rst(core_rst), .expired(expired),
        .x_valid(x_valid), .x_ready(x_ready), .x_last(x_last), .x_data(x_data),
        .busy(asked_busy), .answer_valid(asked_valid), .answer_ready(asked_ready),
        .answer_status(asked_status), .answer_tag(asked_tag), .answer_digest(asked_digest)
    );

    wire                p_ready, p_last;
    wire [RESULT_W-1:0] p_data;
    wire [CLASS_W-1:0]  p_class;
    wire                unused = &{1'b0, p_last};

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
        .s_load_tvalid(load_valid), .s_load_tready(load_ready), .s_load_tlast(load_last),
        .s_load_tdata(load_data), .load_done(load_done), .load_refused(load_refused)
    );

    wire               b_valid, b_ready;
    wire [7:0]         b_data;
    wire [CLASS_W-1:0] b_class;

    mlp_link_bytes #(.W(RESULT_W), .CLASS_W(CLASS_W)) u_bytes (
        .clk(clk), .rst(core_rst),
        .in_valid(p_valid), .in_ready(p_ready), .in_data(p_data), .in_class(p_class),
        .out_valid(b_valid), .out_ready(b_ready), .out_data(b_data), .out_class(b_class)
    );

    mlp_link_reply #(.N(RESULTS*RESULT_W/8), .CLASS_W(CLASS_W)) u_reply (
        .clk(clk), .rst(rst), .id(id),
        .answer_valid(answer_valid), .answer_ready(answer_ready),
        .answer_status(answer_status), .answer_tag(answer_tag), .answer_digest(answer_digest),
        .early(early), .expired(expired),
        .p_valid(b_valid), .p_ready(b_ready), .p_data(b_data), .p_class(b_class),
        .out_valid(reply_valid), .out_ready(reply_ready), .out_last(reply_last),
        .out_data(reply_data)
    );

    initial begin
        if (IN_LANES != 1 || OUT_LANES != 1) begin
            $display("%m: IN_LANES is %0d, OUT_LANES is %0d: need 1", IN_LANES, OUT_LANES);
            $finish;
        end
    end

endmodule

`default_nettype wire
