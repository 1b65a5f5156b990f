// SPDX-License-Identifier: MIT
// mlp_link_bytes - values of one or two bytes as bytes, the lower one first
//
// Golden model   boards/protocol.py: reply
// Stream         in: a value a beat; out: a byte a beat; the class stands beside each
// Latency        0 cycles where a value is a byte, else 1

`default_nettype none

module mlp_link_bytes #(
    parameter W       = 8,              // bits of a value: 8 or 16
    parameter CLASS_W = 8               // bits of a class
) (
    input  wire               clk,
    input  wire               rst,      // synchronous, active high

    input  wire               in_valid,
    output wire               in_ready,
    input  wire [W-1:0]       in_data,
    input  wire [CLASS_W-1:0] in_class,

    output wire               out_valid,
    input  wire               out_ready,
    output wire [7:0]         out_data,
    output wire [CLASS_W-1:0] out_class
);

    generate
        if (W == 8) begin : g_wires
            wire unused = &{1'b0, clk, rst};

            assign out_valid = in_valid;
            assign in_ready  = out_ready;
            assign out_data  = in_data;
            assign out_class = in_class;
        end else begin : g_unpack
            wire last_unused;

            mlp_stream_unpack #(.N(W/8), .LANES(1), .W(8), .TAG_W(CLASS_W)) u_unpack (
                .clk(clk), .rst(rst),
                .in_valid(in_valid), .in_ready(in_ready), .in_x(in_data), .in_tag(in_class),
                .out_valid(out_valid), .out_ready(out_ready), .out_last(last_unused),
                .out_lanes(out_data), .out_tag(out_class)
            );
        end
    endgenerate

endmodule

`default_nettype wire
