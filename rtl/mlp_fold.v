// SPDX-License-Identifier: MIT
// mlp_fold - counts the cycles that a folded layer spends on a vector
//
//     beat c = group * STEPS + step: each group of outputs goes through all steps of the inputs
//
// Golden model   divmod
// Stream         in: a vector's arrival; out: STEPS*GROUPS beats, last on the final one
// Latency        1 cycle to the first beat, a beat per cycle, vectors back to back

`default_nettype none

module mlp_fold #(
    parameter STEPS  = 2,               // cycles for one group of outputs, 1 or more
    parameter GROUPS = 2                // groups of outputs, 1 or more
) (
    input  wire clk,
    input  wire rst,                    // synchronous, active high

    input  wire in_valid,
    output wire in_ready,

    output reg                                                        out_valid,
    input  wire                                                       out_ready,
    output wire                                                       out_first_step,
    output wire                                                       out_last_step,
    output wire                                                       out_last_group,
    output reg  [(GROUPS > 1 ? $clog2(GROUPS) : 1)-1:0]               out_group,
    output reg  [(STEPS*GROUPS > 1 ? $clog2(STEPS*GROUPS) : 1)-1:0]   out_cycle
);

    localparam CYCLES      = STEPS * GROUPS;
    localparam BEFORE_LAST = CYCLES > 1 ? CYCLES - 2 : 0;

    localparam STEP_W  = STEPS  > 1 ? $clog2(STEPS)  : 1;
    localparam GROUP_W = GROUPS > 1 ? $clog2(GROUPS) : 1;
    localparam CYCLE_W = CYCLES > 1 ? $clog2(CYCLES) : 1;

    reg [STEP_W-1:0] step;
    reg              last_beat;         // of the vector: ready is decided by it, and must be early

    assign out_first_step = step == {STEP_W{1'b0}};
    assign out_last_step  = step == STEPS[STEP_W-1:0] - 1'b1;
    assign out_last_group = out_group == GROUPS[GROUP_W-1:0] - 1'b1;

    assign in_ready = !out_valid || (out_ready && last_beat);

    always @(posedge clk) begin
        if (rst)
            out_valid <= 1'b0;
        else if (in_ready)
            out_valid <= in_valid;
    end

    always @(posedge clk) begin
        if (rst || in_ready) begin
            step      <= {STEP_W{1'b0}};
            out_group <= {GROUP_W{1'b0}};
            out_cycle <= {CYCLE_W{1'b0}};
            last_beat <= CYCLES == 1;
        end else if (out_ready) begin
            step      <= out_last_step ? {STEP_W{1'b0}} : step + 1'b1;
            out_group <= out_last_step ? out_group + 1'b1 : out_group;
            out_cycle <= out_cycle + 1'b1;
            last_beat <= out_cycle == BEFORE_LAST[CYCLE_W-1:0];
        end
    end

endmodule

`default_nettype wire
