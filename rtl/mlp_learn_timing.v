// SPDX-License-Identifier: MIT
// mlp_learn_timing - an issue's control, beside its data in each cycle of the engine
//
//     cycle   1       2          3            4       5
//             reads   operands   products,    sums    new masters
//                                dither
//
// Golden model   model/learning/backprop.py: forward, backward, update
// Latency        as said above, from the issue

`default_nettype none

module mlp_learn_timing #(
    parameter N_LAYERS                   = 2,       // linear layers, 1 .. 16
    parameter [32*(N_LAYERS+1)-1:0] N    = 96'h00000003_00000006_00000004,  // inputs, then outputs
    parameter [32*N_LAYERS-1:0]     RELU = 64'h00000000_00000001,   // 1 where a ReLU follows
    parameter [32*(N_LAYERS+1)-1:0] FRAC = 96'h00000003_00000003_00000004,  // of inputs, then outputs
    parameter LANES                      = 2,       // multipliers
    parameter FRAC_MIN                   = 3,       // least fraction bits of inputs
    parameter SHIFT_MAX                  = 7,       // most fraction bits that outputs drop
    parameter DROP_MIN                   = 6,       // fraction bits that an update drops, least
    parameter DROP_MAX                   = 11,      // and most
    parameter LAYER_W                    = 1        // bits of a layer's number
) (
    input  wire                         clk,
    input  wire                         rst,        // synchronous, active high

    input  wire                         in_valid,
    input  wire                         in_backward,
    input  wire                         in_update,
    input  wire [LAYER_W-1:0]           in_layer,
    input  wire [4:0]                   in_place,   // first, last of a sum; first, last group; last row
    input  wire [15:0]                  lfsr,
    input  wire [2:0]                   halvings,

    output reg                          is_backward,    // cycle 1
    output reg                          is_update,
    output wire                         is_first,   // the first layer
    output wire [3:0]                   frac,       // of its inputs
    output wire                         forward,    // cycle 3
    output wire [4:0]                   place,
    output wire [3:0]                   lacks,
    output wire                         relu,
    output wire                         is_final,   // the last layer
    output wire                         sum_en,
    output wire                         update_en,
    output wire [DROP_MAX-1:0]          dither,
    output wire [(DROP_MAX > DROP_MIN ? $clog2(DROP_MAX-DROP_MIN+1) : 1)-1:0] drop,
    output wire                         drain_load, // cycle 4
    output wire [$clog2(LANES+1)-1:0]   count,
    output wire                         relu_below,
    output wire                         moves,      // cycle 5
    output wire                         bias_moves
);

    localparam COUNT_W = $clog2(LANES + 1);

    reg [5:1]         valid_forward, valid_backward, valid_update;
    reg [LAYER_W-1:0] layer;
    reg [4:0]         place_1, place_2, place_3, place_4;
    reg               first_group_5;

    always @(posedge clk) begin
        if (rst) begin
            valid_forward  <= 5'd0;
            valid_backward <= 5'd0;
            valid_update   <= 5'd0;
        end else begin
            valid_forward  <= {valid_forward[4:1],  in_valid && !in_backward && !in_update};
            valid_backward <= {valid_backward[4:1], in_valid && in_backward};
            valid_update   <= {valid_update[4:1],   in_valid && in_update};
        end
    end

    always @(posedge clk) begin
        {is_backward, is_update, layer}      <= {in_backward, in_update, in_layer};
        {place_1, place_2, place_3, place_4} <= {in_place, place_1, place_2, place_3};
        first_group_5                        <= place_4[2];
    end

    wire [3:0]         above, lacks_1;
    wire               relu_1, below_1, final_1;
    wire [COUNT_W-1:0] rest;

    mlp_learn_formats #(
        .N_LAYERS(N_LAYERS), .N(N), .RELU(RELU), .FRAC(FRAC), .LANES(LANES), .LAYER_W(LAYER_W),
        .FRAC_MIN(FRAC_MIN), .SHIFT_MAX(SHIFT_MAX)
    ) u_formats (
        .layer(layer), .frac(frac), .above(above), .lacks(lacks_1), .relu(relu_1),
        .relu_below(below_1), .rest(rest), .is_final(final_1)
    );

    mlp_learn_dither #(.DROP_MIN(DROP_MIN), .DROP_MAX(DROP_MAX)) u_dither (
        .clk(clk), .above(above), .halvings(halvings), .lfsr(lfsr), .dither(dither), .drop(drop)
    );

    mlp_delay #(.W(6), .CYCLES(2)) u_cycle_3 (
        .clk(clk), .rst(1'b0), .en(1'b1), .in_data({lacks_1, relu_1, final_1}),
        .out_data({lacks, relu, is_final})
    );

    mlp_delay #(.W(COUNT_W+1), .CYCLES(3)) u_cycle_4 (
        .clk(clk), .rst(1'b0), .en(1'b1),
        .in_data({place_1[1] ? rest : LANES[COUNT_W-1:0], below_1}), .out_data({count, relu_below})
    );

    assign is_first   = layer == {LAYER_W{1'b0}};
    assign forward    = valid_forward[3];
    assign place      = place_3;
    assign sum_en     = valid_backward[3];
    assign update_en  = valid_update[3];
    assign drain_load = valid_backward[4] && place_4[3];
    assign moves      = valid_update[5];
    assign bias_moves = valid_update[5] && first_group_5;

    wire unused = &{1'b0, valid_forward[5:4], valid_backward[5], place_4};

endmodule

`default_nettype wire
