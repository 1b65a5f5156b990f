// SPDX-License-Identifier: MIT
// mlp_stream_pack - gathers beats of LANES values into whole vectors
//
//     x[b*LANES + k] = lane k of beat b
//
// Golden model   numpy.reshape
// Stream         in: N/LANES beats, last on the final one; out: a vector a beat
// Latency        1 cycle from the last beat; takes a beat per cycle, also while a vector leaves
//
// A vector whose last comes early or late is dropped whole, so it cannot shift those behind it.

`default_nettype none

module mlp_stream_pack #(
    parameter N     = 4,                // values of a vector
    parameter LANES = 1,                // values of a beat, divides N
    parameter W     = 8                 // bits of a value
) (
    input  wire               clk,
    input  wire               rst,      // synchronous, active high

    input  wire               in_valid,
    output wire               in_ready,
    input  wire               in_last,
    input  wire [LANES*W-1:0] in_lanes,

    output reg                out_valid,
    input  wire               out_ready,
    output reg  [N*W-1:0]     out_x
);

    localparam BEATS   = N / LANES;
    localparam COUNT_W = $clog2(BEATS + 1);

    // Beats taken of this vector; BEATS stands for too many.
    reg [COUNT_W-1:0] count;

    wire complete = count == BEATS[COUNT_W-1:0] - 1'b1;
    wire too_long = count == BEATS[COUNT_W-1:0];
    wire take     = in_valid && in_ready;

    assign in_ready = !out_valid || out_ready;

    always @(posedge clk) begin
        if (rst)
            count <= {COUNT_W{1'b0}};
        else if (take)
            count <= in_last ? {COUNT_W{1'b0}} : too_long ? count : count + 1'b1;
    end

    always @(posedge clk) begin
        if (rst)
            out_valid <= 1'b0;
        else if (in_ready)
            out_valid <= in_valid && in_last && complete;
    end

    generate
        if (BEATS == 1) begin : g_whole
            always @(posedge clk) begin
                if (take)
                    out_x <= in_lanes;
            end
        end else begin : g_shift
            always @(posedge clk) begin
                if (take)
                    out_x <= {in_lanes, out_x[N*W-1:LANES*W]};
            end
        end
    endgenerate

    initial begin
        if (LANES < 1 || BEATS*LANES != N) begin
            $display("%m: N=%0d LANES=%0d: LANES must divide N", N, LANES);
            $finish;
        end
    end

endmodule

`default_nettype wire
