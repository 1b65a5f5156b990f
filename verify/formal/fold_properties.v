// SPDX-License-Identifier: MIT
// fold_properties - mlp_fold keeps the contract of streams
//
//     divmod of each cycle of a vector

`default_nettype none

module fold_properties #(
    parameter STEPS    = 3,
    parameter GROUPS   = 2,
    parameter CAPACITY = 2,
    parameter PATIENCE = 2
) (
    input wire               clk,
    input wire               rst,
    input wire               in_valid,
    input wire               out_ready
);

    localparam GROUP_W = GROUPS > 1 ? $clog2(GROUPS) : 1;
    localparam CYCLE_W = STEPS*GROUPS > 1 ? $clog2(STEPS*GROUPS) : 1;

    wire               in_ready;
    wire               out_valid;
    wire               out_first_step;
    wire               out_last_step;
    wire               out_last_group;
    wire [GROUP_W-1:0] out_group;
    wire [CYCLE_W-1:0] out_cycle;

    mlp_fold #(.STEPS(STEPS), .GROUPS(GROUPS)) u_dut (
        .clk(clk), .rst(rst),
        .in_valid(in_valid), .in_ready(in_ready),
        .out_valid(out_valid), .out_ready(out_ready), .out_first_step(out_first_step),
        .out_last_step(out_last_step), .out_last_group(out_last_group), .out_group(out_group),
        .out_cycle(out_cycle)
    );

    localparam CYCLES = STEPS*GROUPS;
    localparam BEAT_W = 3 + GROUP_W + CYCLE_W;

    reg [CYCLES*BEAT_W-1:0] beats;
    reg [GROUP_W-1:0]       group;
    reg [CYCLE_W-1:0]       cycle;
    integer c;

    always @*
        for (c = 0; c < CYCLES; c = c + 1) begin
            group = c / STEPS;
            cycle = c;
            beats[c*BEAT_W +: BEAT_W] =
                {c % STEPS == 0, c % STEPS == STEPS - 1, c / STEPS == GROUPS - 1, group, cycle};
        end

    stream_contract #(
        .W(BEAT_W), .GIVES(CYCLES), .CAPACITY(CAPACITY), .PATIENCE(PATIENCE)
    ) u_contract (
        .clk(clk), .rst(rst),
        .in_valid(in_valid), .in_ready(in_ready),
        .in_first(1'b1), .in_last(1'b1), .in_good(1'b1), .promised(beats),
        .out_valid(out_valid), .out_ready(out_ready),
        .out_payload({out_first_step, out_last_step, out_last_group, out_group, out_cycle})
    );

endmodule

`default_nettype wire
