// mlp_requantize - round accumulators half to even, then saturate them to OUT_W bits
//
//     y = clamp(rne(acc / 2^SHIFT), -2^(OUT_W-1), 2^(OUT_W-1) - 1)
//
// Golden model   model/reference.py: requantize
// Stream         LANES values a beat; a stalled payload holds still
// Latency        1 cycle, one beat per cycle

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

    localparam KEPT_W    = ACC_W - SHIFT;
    localparam ROUNDED_W = KEPT_W + 1;          // one bit more: rounding up may carry

    localparam [OUT_W-1:0] Y_MAX = {1'b0, {(OUT_W-1){1'b1}}};
    localparam [OUT_W-1:0] Y_MIN = {1'b1, {(OUT_W-1){1'b0}}};

    // Load when the output register is empty, or leaves in this cycle.
    assign in_ready = !out_valid || out_ready;

    always @(posedge clk) begin
        if (rst)
            out_valid <= 1'b0;
        else if (in_ready)
            out_valid <= in_valid;
    end

    always @(posedge clk) begin
        if (in_ready)
            out_last <= in_last;
    end

    genvar k;
    generate
        for (k = 0; k < LANES; k = k + 1) begin : g_lane
            wire [ACC_W-1:0]  acc  = in_acc[k*ACC_W +: ACC_W];
            wire [KEPT_W-1:0] kept = acc[ACC_W-1:SHIFT];
            wire              round_up;

            // More than half goes up; exactly half only from an odd value, to the even one.
            if (SHIFT == 0) begin : g_exact
                assign round_up = 1'b0;
            end else if (SHIFT == 1) begin : g_half
                assign round_up = acc[0] && kept[0];
            end else begin : g_round
                assign round_up = acc[SHIFT-1] && (acc[SHIFT-2:0] != {(SHIFT-1){1'b0}} || kept[0]);
            end

            wire [ROUNDED_W-1:0] rounded = {kept[KEPT_W-1], kept} + {{KEPT_W{1'b0}}, round_up};

            // The value fits when all bits above the output's sign bit repeat it.
            wire negative = rounded[ROUNDED_W-1];
            wire fits     = rounded[ROUNDED_W-1:OUT_W-1] == {(ROUNDED_W-OUT_W+1){negative}};

            always @(posedge clk) begin
                if (in_ready)
                    out_y[k*OUT_W +: OUT_W] <= fits ? rounded[OUT_W-1:0] : negative ? Y_MIN : Y_MAX;
            end
        end
    endgenerate

    initial begin
        if (LANES < 1 || SHIFT < 0 || OUT_W < 2 || OUT_W > KEPT_W) begin
            $display("%m: LANES=%0d ACC_W=%0d OUT_W=%0d SHIFT=%0d: need LANES >= 1, SHIFT >= 0 and 2 <= OUT_W <= ACC_W - SHIFT",
                     LANES, ACC_W, OUT_W, SHIFT);
            $finish;
        end
    end

endmodule

`default_nettype wire
