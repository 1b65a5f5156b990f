// SPDX-License-Identifier: MIT
// mlp_learn_formats - what numbers mean in each layer, and how its update drops their fraction
//
//     shift = 6 + frac of inputs - frac of outputs;  drop = halvings + frac of inputs - the least
//
// Golden model   model/learning/backprop.py: Plan.shift, Plan.dropped
// Latency        0 cycles: constants, chosen by the layer's number

`default_nettype none

module mlp_learn_formats #(
    parameter N_LAYERS                   = 2,       // linear layers, 1 .. 16
    parameter [32*(N_LAYERS+1)-1:0] N    = 96'h00000003_00000006_00000004,  // inputs, then outputs
    parameter [32*N_LAYERS-1:0]     RELU = 64'h00000000_00000001,   // 1 where a ReLU follows
    parameter [32*(N_LAYERS+1)-1:0] FRAC = 96'h00000003_00000003_00000004,  // of inputs, then outputs
    parameter LANES                      = 2,       // inputs of a word
    parameter LAYER_W                    = 1,       // bits of a layer's number
    parameter FRAC_MIN                   = 3,       // least of the inputs
    parameter SHIFT_MAX                  = 7        // most of all shifts
) (
    input  wire [LAYER_W-1:0]           layer,
    output wire [3:0]                   frac,       // of inputs
    output wire [3:0]                   above,      // frac - FRAC_MIN
    output wire [3:0]                   lacks,      // SHIFT_MAX - shift
    output wire                         relu,       // behind this layer
    output wire                         relu_below, // behind the one before
    output wire [$clog2(LANES+1)-1:0]   rest,       // inputs in the last word of a row
    output wire                         is_final    // the last layer
);

    localparam ENTRIES = 1 << LAYER_W;
    localparam COUNT_W = $clog2(LANES + 1);

    localparam integer FINAL = N_LAYERS - 1;

    function integer frac_of(input integer l);
        frac_of = $signed(FRAC[32*l +: 32]);
    endfunction

    function integer relu_of(input integer l);
        relu_of = l < 0 ? 0 : $signed(RELU[32*(l < 0 ? 0 : l) +: 32]);
    endfunction

    function integer rest_of(input integer inputs);
        rest_of = inputs - (inputs - 1) / LANES * LANES;
    endfunction

    // One number a layer, 32 bits each.
    function [32*ENTRIES-1:0] numbers(input integer which);
        integer l, value;
        begin
            numbers = {(32*ENTRIES){1'b0}};
            for (l = 0; l < N_LAYERS; l = l + 1) begin
                case (which)
                    0: value = frac_of(l);
                    1: value = frac_of(l) - FRAC_MIN;
                    2: value = SHIFT_MAX - 6 - frac_of(l) + frac_of(l + 1);
                    3: value = relu_of(l);
                    4: value = relu_of(l - 1);
                    default: value = rest_of($signed(N[32*l +: 32]));
                endcase
                numbers[32*l +: 32] = $unsigned(value);
            end
        end
    endfunction

    localparam [32*ENTRIES-1:0] FRACS  = numbers(0);
    localparam [32*ENTRIES-1:0] ABOVE  = numbers(1);
    localparam [32*ENTRIES-1:0] LACKS  = numbers(2);
    localparam [32*ENTRIES-1:0] RELUS  = numbers(3);
    localparam [32*ENTRIES-1:0] BELOW  = numbers(4);
    localparam [32*ENTRIES-1:0] RESTS  = numbers(5);

    wire [LAYER_W+4:0] at = {layer, 5'd0};

    assign frac       = FRACS[at +: 4];
    assign above      = ABOVE[at +: 4];
    assign lacks      = LACKS[at +: 4];
    assign relu       = RELUS[at];
    assign relu_below = BELOW[at];
    assign rest       = RESTS[at +: COUNT_W];
    assign is_final   = layer == FINAL[LAYER_W-1:0];

endmodule

`default_nettype wire
