// SPDX-License-Identifier: MIT
// mlp_sigmoid - the sigmoid of each logit, by itself, as a byte
//
//     p[k] = rne(255 / (1 + exp(-x[k])))
//
// Golden model   model/reference.py: sigmoid; model/stages/sigmoid.py: SigmoidSpec
// Stream         in and out: a vector a beat
// Throughput     N/LANES cycles per vector, back to back
// Latency        N/LANES + 2 cycles
//
// The table takes 12 bits. Beyond -8 .. 8 the byte is 0 or 255, so bits above those go first, one
// fewer where a step is so coarse that the last one below 8 is not 255 yet; where that is not enough,
// low bits go too: 2^-8 is left, a quarter of a byte's step at the steepest.

`default_nettype none

module mlp_sigmoid #(
    parameter N      = 3,               // logits, 1 .. 4096
    parameter LANES  = 1,               // logits per cycle, divides N
    parameter X_W    = 8,               // signed logit width, 2 .. 16
    parameter FRAC   = 4,               // fraction bits of a logit, -16 .. 31
    parameter FILE   = ""               // image: a byte for each address of the table
) (
    input  wire             clk,
    input  wire             rst,        // synchronous, active high

    input  wire             in_valid,
    output wire             in_ready,
    input  wire [N*X_W-1:0] in_x,

    output wire             out_valid,
    input  wire             out_ready,
    output wire [N*8-1:0]   out_p
);

    localparam integer POINT  = FRAC;           // with a sign, whatever the parameter was given
    localparam integer KEPT   = POINT < 0 ? 5 : 4;                          // integer bits
    localparam integer HIGH   = X_W - POINT > KEPT ? X_W - POINT - KEPT : 0;
    localparam integer WANTED = X_W - HIGH < 2 ? 2 : X_W - HIGH;
    localparam integer ADDR_W = WANTED > 12 ? 12 : WANTED;
    localparam integer DROP   = WANTED - ADDR_W;

    wire                 x_valid;
    wire                 x_ready;
    wire                 x_last;
    wire [LANES*X_W-1:0] x;
    wire                 tag_unused;

    mlp_stream_unpack #(.N(N), .LANES(LANES), .W(X_W), .TAG_W(1)) u_unpack (
        .clk(clk), .rst(rst),
        .in_valid(in_valid), .in_ready(in_ready), .in_x(in_x), .in_tag(1'b0),
        .out_valid(x_valid), .out_ready(x_ready), .out_last(x_last), .out_lanes(x),
        .out_tag(tag_unused)
    );

    wire               p_valid;
    wire               p_ready;
    wire               p_last;
    wire [LANES*8-1:0] p;

    mlp_activation #(
        .LANES(LANES), .X_W(X_W), .DROP(DROP), .ADDR_W(ADDR_W), .Y_W(8), .FILE(FILE)
    ) u_activation (
        .clk(clk), .rst(rst),
        .in_valid(x_valid), .in_ready(x_ready), .in_last(x_last), .in_x(x),
        .out_valid(p_valid), .out_ready(p_ready), .out_last(p_last), .out_y(p)
    );

    mlp_stream_pack #(.N(N), .LANES(LANES), .W(8)) u_pack (
        .clk(clk), .rst(rst),
        .in_valid(p_valid), .in_ready(p_ready), .in_last(p_last), .in_lanes(p),
        .out_valid(out_valid), .out_ready(out_ready), .out_x(out_p)
    );

endmodule

`default_nettype wire
