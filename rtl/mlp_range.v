// SPDX-License-Identifier: MIT
// mlp_range - a flag for each vector: a value of it is outside of its range
//
//     outside = any(x[i] < LOW[i] or HIGH[i] < x[i])
//
// Golden model   numpy.any
// Stream         in: as s_axis of mlp_top; out: a flag a vector; one that is none for mlp_top, since
//                its last comes early or late, has no flag
// Latency        1 cycle from the last beat; takes a beat per cycle until 2^DEPTH_W flags wait
//
// Stands beside mlp_top and takes the same beats; a result is handed over together with its flag. A
// list parameter has a 32-bit entry per feature, in two's complement, the first one's in the low bits.

`default_nettype none

module mlp_range #(
    parameter N       = 4,              // features, 1 or more
    parameter LANES   = 1,              // features of a beat, divides N
    parameter W       = 8,              // signed feature width, 2 .. 16
    parameter DEPTH_W = 4,              // bits that count waiting flags, 1 .. 16
    parameter [32*N-1:0] LOW  = {N{32'd0}},     // least code of each feature
    parameter [32*N-1:0] HIGH = {N{32'd0}}      // largest code of each feature
) (
    input  wire                         clk,
    input  wire                         rst,  // synchronous, active high

    input  wire                         in_valid,
    output wire                         in_ready,
    input  wire                         in_last,
    input  wire [LANES*8*((W+7)/8)-1:0] in_data,

    output wire                         out_valid,
    input  wire                         out_ready,
    output wire                         out_outside
);

    localparam BEATS   = N / LANES;
    localparam COUNT_W = $clog2(BEATS + 1);
    localparam LANE_W  = 8*((W+7)/8);

    function any_outside(input [LANES*LANE_W-1:0] x, input signed [31:0] first);
        integer k;
        begin
            any_outside = 1'b0;
            for (k = 0; k < LANES; k = k + 1)
                any_outside = any_outside
                    || $signed(x[k*LANE_W +: LANE_W]) < $signed(LOW[32*(first + k) +: LANE_W])
                    || $signed(x[k*LANE_W +: LANE_W]) > $signed(HIGH[32*(first + k) +: LANE_W]);
        end
    endfunction

    // Beats taken of this vector; BEATS stands for too many.
    reg [COUNT_W-1:0] count;
    reg               found;            // in one of them

    wire complete = count == BEATS[COUNT_W-1:0] - 1'b1;
    wire too_long = count == BEATS[COUNT_W-1:0];
    wire take     = in_valid && in_ready;

    wire [31:0] place   = too_long ? 32'd0 : {{(32-COUNT_W){1'b0}}, count};
    wire        outside = found || any_outside(in_data, LANES*$signed(place));

    always @(posedge clk) begin
        if (rst) begin
            count <= {COUNT_W{1'b0}};
            found <= 1'b0;
        end else if (take) begin
            count <= in_last ? {COUNT_W{1'b0}} : too_long ? count : count + 1'b1;
            found <= !in_last && outside;
        end
    end

    // Flags wait in a ring; `head` is where the next one is written, `tail` where the first one is.
    reg               flags [0:(1<<DEPTH_W)-1];
    reg [DEPTH_W:0]   head;
    reg [DEPTH_W:0]   tail;

    assign in_ready    = head != {!tail[DEPTH_W], tail[DEPTH_W-1:0]};
    assign out_valid   = head != tail;
    assign out_outside = flags[tail[DEPTH_W-1:0]];

    wire write = take && in_last && complete;

    always @(posedge clk) begin
        if (write)
            flags[head[DEPTH_W-1:0]] <= outside;
    end

    always @(posedge clk) begin
        if (rst) begin
            head <= {(DEPTH_W+1){1'b0}};
            tail <= {(DEPTH_W+1){1'b0}};
        end else begin
            if (write)
                head <= head + 1'b1;
            if (out_valid && out_ready)
                tail <= tail + 1'b1;
        end
    end

    initial begin
        if (LANES < 1 || BEATS*LANES != N || W < 2 || W > 16 || DEPTH_W < 1 || DEPTH_W > 16) begin
            $display("%m: N=%0d LANES=%0d W=%0d DEPTH_W=%0d: LANES must divide N, W be 2 .. 16, DEPTH_W 1 .. 16",
                     N, LANES, W, DEPTH_W);
            $finish;
        end
    end

endmodule

`default_nettype wire
