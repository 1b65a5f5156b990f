// SPDX-License-Identifier: MIT
// mlp_requantize - round accumulators half to even, then saturate them to OUT_W bits
//
//     y = clamp(rne(acc / 2^SHIFT), -2^(OUT_W-1), 2^(OUT_W-1) - 1)
//
// Golden model   model/reference.py: requantize
// Stream         LANES values a beat; a stalled payload holds still
// Latency        2 cycles, one beat per cycle: round, saturate

`default_nettype none

module mlp_requantize #(
    parameter LANES = 1,                // values a beat, 1 or more
    parameter ACC_W = 20,               // signed accumulator width, up to 63
    parameter OUT_W = 8,                // signed output width, 2 .. ACC_W - SHIFT
    parameter SHIFT = 7                 // fraction bits dropped, 0 .. ACC_W - OUT_W
) (
    input  wire                   clk,
    input  wire                   rst,  // synchronous, active high

    input  wire                   in_valid,
    output wire                   in_ready,
    input  wire                   in_last,
    input  wire [LANES*ACC_W-1:0] in_acc,

    output reg                    out_valid,
    input  wire                   out_ready,
    output reg                    out_last,
    output reg  [LANES*OUT_W-1:0] out_y
);

    // An illegal SHIFT counts as 0, so that elaboration gets as far as its message below.
    localparam LEGAL     = SHIFT >= 0 && OUT_W >= 2 && OUT_W <= ACC_W - SHIFT;
    localparam DROPPED   = LEGAL ? SHIFT : 0;
    localparam KEPT_W    = ACC_W - DROPPED;
    localparam ROUNDED_W = KEPT_W + 1;          // one bit more: rounding up may carry

    localparam [OUT_W-1:0] Y_MAX = {1'b0, {(OUT_W-1){1'b1}}};
    localparam [OUT_W-1:0] Y_MIN = {1'b1, {(OUT_W-1){1'b0}}};

    // More than half goes up; exactly half only from an odd value, to the even one.
    function [ROUNDED_W-1:0] rounded(input [ACC_W-1:0] acc);
        reg [ACC_W+1:0]  padded;                // two zeros more: there always is a half, and less
        reg [KEPT_W-1:0] kept;
        reg              round_up;
        begin
            padded   = {acc, 2'b00};
            kept     = padded[ACC_W+1:DROPPED+2];
            round_up = padded[DROPPED+1] && (padded[DROPPED:0] != {(DROPPED+1){1'b0}} || kept[0]);
            rounded  = {kept[KEPT_W-1], kept} + {{KEPT_W{1'b0}}, round_up};
        end
    endfunction

    // The value fits when all bits above the output's sign bit repeat it.
    function [OUT_W-1:0] saturated(input [ROUNDED_W-1:0] value);
        if (value[ROUNDED_W-1:OUT_W-1] == {(ROUNDED_W-OUT_W+1){value[ROUNDED_W-1]}})
            saturated = value[OUT_W-1:0];
        else
            saturated = value[ROUNDED_W-1] ? Y_MIN : Y_MAX;
    endfunction

    function [LANES*ROUNDED_W-1:0] all_rounded(input [LANES*ACC_W-1:0] acc);
        integer k;
        begin
            for (k = 0; k < LANES; k = k + 1)
                all_rounded[k*ROUNDED_W +: ROUNDED_W] = rounded(acc[k*ACC_W +: ACC_W]);
        end
    endfunction

    function [LANES*OUT_W-1:0] all_saturated(input [LANES*ROUNDED_W-1:0] values);
        integer k;
        begin
            for (k = 0; k < LANES; k = k + 1)
                all_saturated[k*OUT_W +: OUT_W] = saturated(values[k*ROUNDED_W +: ROUNDED_W]);
        end
    endfunction

    reg                       middle_valid;
    reg                       middle_last;
    reg [LANES*ROUNDED_W-1:0] middle;

    // Both stages move where the second is empty, or leaves in this cycle.
    assign in_ready = !out_valid || out_ready;

    always @(posedge clk) begin
        if (rst) begin
            middle_valid <= 1'b0;
            out_valid    <= 1'b0;
        end else if (in_ready) begin
            middle_valid <= in_valid;
            out_valid    <= middle_valid;
        end
    end

    always @(posedge clk) begin
        if (in_ready) begin
            middle_last <= in_last;
            out_last    <= middle_last;
        end
    end

    always @(posedge clk) begin
        if (in_ready) begin
            middle <= all_rounded(in_acc);
            out_y  <= all_saturated(middle);
        end
    end

    initial begin
        if (LANES < 1 || !LEGAL) begin
            $display("%m: LANES=%0d ACC_W=%0d OUT_W=%0d SHIFT=%0d: need LANES >= 1, SHIFT >= 0 and 2 <= OUT_W <= ACC_W - SHIFT",
                     LANES, ACC_W, OUT_W, SHIFT);
            $finish;
        end
    end

endmodule

`default_nettype wire
