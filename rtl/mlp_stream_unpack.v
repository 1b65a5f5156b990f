// SPDX-License-Identifier: MIT
// mlp_stream_unpack - serves a vector as beats of LANES values
//
//     lane k of beat b = x[b*LANES + k]; the tag stands beside each beat
//
// Golden model   numpy.reshape
// Stream         in: a vector a beat; out: N/LANES beats, last on the final one
// Latency        1 cycle to the first beat, a beat per cycle, vectors back to back

`default_nettype none

module mlp_stream_unpack #(
    parameter N     = 4,                // values of a vector
    parameter LANES = 1,                // values of a beat, divides N
    parameter W     = 8,                // bits of a value
    parameter TAG_W = 1                 // bits that belong to the vector as a whole
) (
    input  wire               clk,
    input  wire               rst,      // synchronous, active high

    input  wire               in_valid,
    output wire               in_ready,
    input  wire [N*W-1:0]     in_x,
    input  wire [TAG_W-1:0]   in_tag,

    output reg                out_valid,
    input  wire               out_ready,
    output wire               out_last,
    output wire [LANES*W-1:0] out_lanes,
    output reg  [TAG_W-1:0]   out_tag
);

    localparam BEATS   = N / LANES;
    localparam COUNT_W = BEATS > 1 ? $clog2(BEATS) : 1;

    reg [N*W-1:0]     x;
    reg [COUNT_W-1:0] count;            // beats handed over of this vector

    assign out_last  = count == BEATS[COUNT_W-1:0] - 1'b1;
    assign out_lanes = x[LANES*W-1:0];
    assign in_ready  = !out_valid || (out_ready && out_last);

    always @(posedge clk) begin
        if (rst)
            out_valid <= 1'b0;
        else if (in_ready)
            out_valid <= in_valid;
    end

    always @(posedge clk) begin
        if (rst || in_ready)
            count <= {COUNT_W{1'b0}};
        else if (out_ready)
            count <= count + 1'b1;
    end

    always @(posedge clk) begin
        if (in_ready)
            out_tag <= in_tag;
    end

    always @(posedge clk) begin
        if (in_ready)
            x <= in_x;
        else if (out_ready)
            x <= x >> (LANES*W);
    end

    initial begin
        if (LANES < 1 || BEATS*LANES != N) begin
            $display("%m: N=%0d LANES=%0d: LANES must divide N", N, LANES);
            $finish;
        end
    end

endmodule

`default_nettype wire
