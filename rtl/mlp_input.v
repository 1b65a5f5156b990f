// SPDX-License-Identifier: MIT
// mlp_input - features as they come to what the first layer takes: a vector, or beats of it
//
//     x = each lane in W bits, of N/LANES beats where OUT_LANES is N
//
// Golden model   numpy.reshape
// Stream         in: N/LANES beats of lanes in whole bytes, sign-extended, last on the final one;
//                out: a vector a beat, or beats as they come, last with them
// Latency        1 cycle from the last beat to a vector, as mlp_stream_pack; 0 for beats, gates only

`default_nettype none

module mlp_input #(
    parameter N         = 4,            // features, 1 or more
    parameter LANES     = 1,            // features of a beat, divides N
    parameter OUT_LANES = 4,            // values of a beat that leaves: N or LANES
    parameter W         = 8             // signed feature width, 2 .. 16
) (
    input  wire                           clk,
    input  wire                           rst,  // synchronous, active high

    input  wire                           in_valid,
    output wire                           in_ready,
    input  wire                           in_last,
    input  wire [LANES*8*((W+7)/8)-1:0]   in_data,

    output wire                           out_valid,
    input  wire                           out_ready,
    output wire                           out_last,
    output wire [OUT_LANES*W-1:0]         out_x
);

    wire [LANES*W-1:0] features;

    mlp_resize #(.LANES(LANES), .X_W(8*((W+7)/8)), .Y_W(W)) u_resize (
        .in_x(in_data), .out_y(features)
    );

    generate
        if (OUT_LANES == N) begin : g_pack
            mlp_stream_pack #(.N(N), .LANES(LANES), .W(W)) u_pack (
                .clk(clk), .rst(rst),
                .in_valid(in_valid), .in_ready(in_ready), .in_last(in_last), .in_lanes(features),
                .out_valid(out_valid), .out_ready(out_ready), .out_x(out_x)
            );

            assign out_last = 1'b1;
        end else begin : g_beats
            assign out_valid = in_valid;
            assign in_ready  = out_ready;
            assign out_last  = in_last;
            assign out_x     = features;

            wire unused = &{1'b0, clk, rst};
        end
    endgenerate

    initial begin
        if (LANES < 1 || N/LANES*LANES != N || (OUT_LANES != N && OUT_LANES != LANES)) begin
            $display("%m: N=%0d LANES=%0d OUT_LANES=%0d: LANES must divide N, and OUT_LANES be N or LANES",
                     N, LANES, OUT_LANES);
            $finish;
        end
    end

endmodule

`default_nettype wire
