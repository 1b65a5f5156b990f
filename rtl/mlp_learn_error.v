// SPDX-License-Identifier: MIT
// mlp_learn_error - deltas of the logits: probabilities minus one-hot, times the score's slope
//
//     e = p[k] - 255 * (k == label)
//     d = e << 4                         exp
//     d = rne(e * R[q[k]] / 2^4)         taylor2; R by ROM, 256 is a slope of 1
//
// Golden model   model/learning/backprop.py: error, slopes
// Stream         in: a vector a beat; out: N deltas, last on the final one
// Latency        1 cycle to the first delta with exp, 5 with taylor2; a delta per cycle

`default_nettype none

module mlp_learn_error #(
    parameter N      = 3,               // classes, 2 .. 64
    parameter SCORE  = "exp",           // "taylor2" or "exp"
    parameter SLOPES = ""               // ROM image of 256 slopes of 10 bits, for taylor2
) (
    input  wire           clk,
    input  wire           rst,          // synchronous, active high

    input  wire           in_valid,
    output wire           in_ready,
    input  wire [N*8-1:0] in_p,
    input  wire [N*8-1:0] in_logits,
    input  wire [7:0]     in_label,

    output wire           out_valid,
    input  wire           out_ready,
    output wire           out_last,
    output wire [15:0]    out_d
);

    // A string is as wide as its characters: names are compared in 64 bits.
    localparam        PADDED     = {64'd0, SCORE};
    localparam [63:0] SCORE_NAME = PADDED[63:0];

    // A class is a p, its logit and whether it is the label's.
    wire [N*17-1:0] classes;

    genvar k;
    generate
        for (k = 0; k < N; k = k + 1) begin : g_class
            localparam [7:0] CLASS = k;
            assign classes[k*17 +: 17] = {in_label == CLASS, in_logits[k*8 +: 8], in_p[k*8 +: 8]};
        end
    endgenerate

    wire        beat_valid, beat_ready, beat_last;
    wire [16:0] beat;
    wire        tag_unused;

    mlp_stream_unpack #(.N(N), .LANES(1), .W(17), .TAG_W(1)) u_unpack (
        .clk(clk), .rst(rst),
        .in_valid(in_valid), .in_ready(in_ready), .in_x(classes), .in_tag(1'b0),
        .out_valid(beat_valid), .out_ready(beat_ready), .out_last(beat_last), .out_lanes(beat),
        .out_tag(tag_unused)
    );

    wire signed [9:0] e = $signed({2'b00, beat[7:0]}) - $signed({2'b00, {8{beat[16]}}});

    generate
        if (SCORE_NAME == "exp") begin : g_exp
            assign out_valid  = beat_valid;
            assign beat_ready = out_ready;
            assign out_last   = beat_last;
            assign out_d      = {{2{e[9]}}, e, 4'd0};

            wire unused = &{1'b0, beat[15:8]};
        end else begin : g_taylor2
            wire        move;
            wire [9:0]  slope;
            wire        product_valid, product_last;

            reg signed [9:0]  error;
            reg signed [19:0] product;

            mlp_rom #(.WIDTH(10), .DEPTH(256), .FILE(SLOPES)) u_slopes (
                .clk(clk), .en(move), .addr(beat[15:8]), .data(slope)
            );

            always @(posedge clk) begin
                if (move) begin
                    error   <= e;
                    product <= error * $signed(slope);
                end
            end

            mlp_delay #(.W(1), .CYCLES(2)) u_valid (
                .clk(clk), .rst(rst), .en(move), .in_data(beat_valid), .out_data(product_valid)
            );

            mlp_delay #(.W(1), .CYCLES(2)) u_last (
                .clk(clk), .rst(1'b0), .en(move), .in_data(beat_last), .out_data(product_last)
            );

            mlp_requantize #(.LANES(1), .ACC_W(20), .OUT_W(16), .SHIFT(4)) u_requantize (
                .clk(clk), .rst(rst),
                .in_valid(product_valid), .in_ready(move), .in_last(product_last),
                .in_acc(product),
                .out_valid(out_valid), .out_ready(out_ready), .out_last(out_last), .out_y(out_d)
            );

            assign beat_ready = move;
        end
    endgenerate

    initial begin
        if (SCORE_NAME != "taylor2" && SCORE_NAME != "exp") begin
            $display("%m: SCORE is %s: need taylor2 or exp", SCORE);
            $finish;
        end
    end

endmodule

`default_nettype wire
